import { perAccount, route } from '../../http/route.ts'
import { NotFound } from '../../kernel/problem.ts'
import { Banned, HostsOnly, NotAdmitted, OfMeeting } from '../meetings/schema.ts'
import { NoSession, NotThere } from '../presence/schema.ts'
import {
  EditNotes,
  Notes,
  NotesAwaited,
  NotesNotReady,
  NotesVersions,
  OfVersion,
  ReadNotes,
  TooManyVersions,
  WriteNotes,
} from './schema.ts'
import type { Notes as Service } from './service.ts'

type Answer = Notes | NotesAwaited | NotesVersions

const whenReady = (ready: number) => (answer: Answer) => ('status' in answer && answer.status !== 'ready' ? 202 : ready)
const readyOrNot = { 200: Notes, 202: NotesAwaited }
const whereFound = (answer: Notes | NotesAwaited) => `/api/meetings/${answer.meeting_id}/notes/${answer.version}`

/** What is still to be written has another tag than what it will be; a list has none of its own. */
const tagOf = (answer: Answer): string | undefined =>
  'status' in answer ? `${answer.version}${answer.status === 'ready' ? '' : `-${answer.status}`}` : undefined

export const noteRoutes = (notes: Service) => [
  route('POST /api/meetings/:meeting_id/notes', {
    summary: 'Have notes written',
    description:
      'Of the transcript and the chat of a session, as another version; what is there stays as it is. 201 once they are ' +
      'ready, else 202, and they are written all the same. While they are, the same call is about the same version. ' +
      'Where nothing was said or written, the notes are a sample, and say so: `mocked`.',
    access: 'participant',
    params: OfMeeting,
    body: WriteNotes,
    reply: { 201: Notes, 202: NotesAwaited },
    statusOf: whenReady(201),
    location: whereFound,
    problems: [NotFound, HostsOnly, NoSession, TooManyVersions],
    idempotent: true,
    etag: tagOf,
    limits: [perAccount(30, 60)],
    handle: ({ caller, params, body, gone }) => notes.request(caller, params.meeting_id, body, gone),
  }),
  route('GET /api/meetings/:meeting_id/notes', {
    summary: 'Read the latest notes',
    description:
      'For who was there, and for hosts. Of a session, the latest are the newest that a person has edited: notes that ' +
      'are written anew never take the place of an edit, and are read by their version. Where nobody has edited any, ' +
      'they are the newest that are ready. 202 if none are yet. `all=1` lists every version, the newest first.',
    access: 'participant',
    params: OfMeeting,
    query: ReadNotes,
    reply: { 200: Notes.or(NotesVersions), 202: NotesAwaited },
    statusOf: whenReady(200),
    problems: [NotFound, NotAdmitted, Banned, NoSession, NotThere],
    etag: tagOf,
    handle: ({ caller, params, query }) =>
      query.all ? notes.listVersions(caller, params.meeting_id, query) : notes.latest(caller, params.meeting_id, query),
  }),
  route('GET /api/meetings/:meeting_id/notes/:version', {
    summary: 'Read a version of the notes',
    access: 'participant',
    params: OfVersion,
    reply: readyOrNot,
    statusOf: whenReady(200),
    problems: [NotFound, NotAdmitted, Banned, NotThere],
    etag: tagOf,
    handle: ({ caller, params }) => notes.get(caller, params.meeting_id, params.version),
  }),
  route('PATCH /api/meetings/:meeting_id/notes/:version', {
    summary: 'Edit notes',
    description:
      'Makes another version, which is this one with what was edited, and leaves this one as it is. With `If-Match` it ' +
      'is refused if somebody has edited the notes of this session since.',
    access: 'participant',
    params: OfVersion,
    body: EditNotes,
    reply: { 200: Notes },
    problems: [NotFound, HostsOnly, NotesNotReady, TooManyVersions],
    etag: tagOf,
    if_match: true,
    body_limit: 1024 * 1024,
    limits: [perAccount(60, 60)],
    handle: ({ caller, params, body, if_match }) =>
      notes.edit(caller, params.meeting_id, params.version, body, if_match),
  }),
]
