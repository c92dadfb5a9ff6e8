import { bytes, Download, file, nothing, route } from '../../http/route.ts'
import { Page } from '../../kernel/fields.ts'
import { NotFound } from '../../kernel/problem.ts'
import { Banned, HostsOnly, NotAdmitted, OfMeeting } from '../meetings/schema.ts'
import { NotLive } from '../presence/schema.ts'
import {
  ChangeRecording,
  ChunkMismatch,
  ChunkMissing,
  ChunksTooMany,
  CreateLink,
  DownloadQuery,
  Link,
  LinkInvalid,
  mockType,
  mostBytesOfChunk,
  NotReady,
  OfChunk,
  OfRecording,
  Recording,
  RecordingActive,
  RecordingOff,
  RecordingOver,
  Recordings,
  RecordingTooLarge,
  StartRecording,
  StopRecording,
  StorageFull,
  uploadTypes,
} from './schema.ts'
import type { Recordings as Service } from './service.ts'

const byHosts = [NotFound, HostsOnly]
const byWitnesses = [NotFound, NotAdmitted, Banned]

export const recordingRoutes = (recordings: Service) => [
  route('POST /api/meetings/:meeting_id/recordings', {
    summary: 'Begin to record',
    description:
      'While the meeting is live; one at a time. Everybody inside is told by a signal of type `recording`, and so is who ' +
      'comes later. The end of the meeting stops it.',
    access: 'participant',
    params: OfMeeting,
    body: StartRecording,
    reply: { 201: Recording },
    problems: [...byHosts, NotLive, RecordingOff, RecordingActive],
    idempotent: true,
    location: ({ id }) => `/api/recordings/${id}`,
    handle: ({ caller, params, body }) => recordings.start(caller, params.meeting_id, body),
  }),
  route('GET /api/meetings/:meeting_id/recordings', {
    summary: 'List the recordings',
    description: 'The latest first: to hosts all of them, to others what is shared with who was there.',
    access: 'participant',
    params: OfMeeting,
    query: Page,
    reply: { 200: Recordings },
    problems: byWitnesses,
    handle: ({ caller, params, query }) => recordings.list(caller, params.meeting_id, query),
  }),
  route('PUT /api/recordings/:recording_id/chunks/:number', {
    summary: 'Upload a chunk',
    description:
      'The bytes as the browser recorded them, numbered from 0; in any order, and again until it is answered. Up to ten ' +
      'minutes after the session has ended.',
    access: 'participant',
    params: OfChunk,
    body: bytes,
    body_limit: mostBytesOfChunk,
    reply: { 204: nothing },
    problems: [...byHosts, RecordingOver, ChunkMismatch, RecordingTooLarge, StorageFull],
    handle: ({ caller, params, body }) => recordings.putChunk(caller, params.recording_id, params.number, body),
  }),
  route('POST /api/recordings/:recording_id/stop', {
    summary: 'Stop recording',
    description:
      'Of an upload, all chunks must have come: the first that is missing is named by `expected`. The file is ready at ' +
      'once or a little later. Stopping again changes nothing.',
    access: 'participant',
    params: OfRecording,
    body: StopRecording,
    reply: { 200: Recording },
    problems: [...byHosts, ChunkMissing, ChunksTooMany, StorageFull],
    handle: ({ caller, params, body }) => recordings.stop(caller, params.recording_id, body.chunks),
  }),
  route('GET /api/recordings/:recording_id', {
    summary: 'Read about a recording',
    access: 'participant',
    params: OfRecording,
    reply: { 200: Recording },
    problems: byWitnesses,
    handle: ({ caller, params }) => recordings.get(caller, params.recording_id),
  }),
  route('PATCH /api/recordings/:recording_id', {
    summary: 'Share a recording',
    description: 'With who was there (`participants`), or with nobody but the hosts.',
    access: 'participant',
    params: OfRecording,
    body: ChangeRecording,
    reply: { 200: Recording },
    problems: byHosts,
    handle: ({ caller, params, body }) => recordings.change(caller, params.recording_id, body),
  }),
  route('DELETE /api/recordings/:recording_id', {
    summary: 'Delete a recording',
    description: 'With its file.',
    access: 'participant',
    params: OfRecording,
    reply: { 204: nothing },
    problems: byHosts,
    handle: ({ caller, params }) => recordings.remove(caller, params.recording_id),
  }),
  route('GET /api/recordings/:recording_id/download', {
    summary: 'Download a recording',
    description: 'The bytes as they were uploaded, or a part of them. With a link nobody needs to say who they are.',
    access: 'optional',
    params: OfRecording,
    query: DownloadQuery,
    reply: { 200: file(...uploadTypes, mockType), 206: file(...uploadTypes, mockType) },
    statusOf: () => 200,
    problems: [...byWitnesses, NotReady, LinkInvalid],
    handle: async ({ caller, params, query }) =>
      new Download(await recordings.download(caller, params.recording_id, query)),
  }),
  route('POST /api/recordings/:recording_id/links', {
    summary: 'Make a link to a recording',
    description: 'Whoever has it may download this one recording, until it expires or all of its links are revoked.',
    access: 'participant',
    params: OfRecording,
    body: CreateLink,
    reply: { 201: Link },
    problems: byHosts,
    location: ({ url }) => new URL(url).pathname,
    handle: ({ caller, params, body }) => recordings.link(caller, params.recording_id, body),
  }),
  route('DELETE /api/recordings/:recording_id/links', {
    summary: 'Revoke the links to a recording',
    access: 'participant',
    params: OfRecording,
    reply: { 204: nothing },
    problems: byHosts,
    handle: ({ caller, params }) => recordings.revokeLinks(caller, params.recording_id),
  }),
]
