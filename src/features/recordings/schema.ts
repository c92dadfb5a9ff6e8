import { z } from 'zod'
import { Id, Instant, idOf, listOf, Secret } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

/** What MediaRecorder makes, and what the mocked recorder does. */
export const uploadTypes = [
  'video/webm',
  'audio/webm',
  'video/mp4',
  'audio/mp4',
  'audio/ogg',
  'video/x-matroska',
] as const
export const mockType = 'text/plain'

/** Without its codecs. */
export const baseType = (content_type: string): string => content_type.split(';')[0]?.trim() ?? ''

const ContentType = z
  .string()
  .trim()
  .toLowerCase()
  .max(120)
  .regex(
    new RegExp(`^(?:${uploadTypes.join('|')})(?:;\\s*codecs=(?:[a-z0-9.,_ -]{1,60}|"[a-z0-9.,_ -]{1,60}"))?$`),
    `must be one of ${uploadTypes.join(', ')}, with or without its codecs`,
  )
  .meta({ examples: ['video/webm;codecs=vp8,opus'] })

export const StartRecording = z
  .strictObject({
    source: z.enum(['mock', 'upload']).default('mock').meta({
      description: 'mock writes a text that says who was there; upload takes what a browser records, in chunks',
    }),
    content_type: ContentType.optional(),
  })
  .refine(({ source, content_type }) => source === 'upload' || content_type === undefined, {
    path: ['content_type'],
    message: 'is of what is uploaded',
  })
export type StartRecording = z.infer<typeof StartRecording>

/** Chunks of one recording. */
export const mostChunks = 100_000
export const mostBytesOfChunk = 16 * 1024 * 1024

export const StopRecording = z.strictObject({
  chunks: z
    .int()
    .min(0)
    .max(mostChunks)
    .optional()
    .meta({ description: 'How many there are; all that came, if left out' }),
})
export type StopRecording = z.infer<typeof StopRecording>

export const ChangeRecording = z.strictObject({ visibility: z.enum(['hosts', 'participants']) })
export type ChangeRecording = z.infer<typeof ChangeRecording>

export const OfRecording = z.object({ recording_id: Id })
export const OfChunk = OfRecording.extend({
  number: z
    .string()
    .regex(/^(0|[1-9]\d{0,4})$/, 'must be a number from 0 to 99999')
    .transform(Number),
})
export const DownloadQuery = z.strictObject({
  link: z.string().max(100).optional().meta({ description: 'The secret of a link, which its url has already' }),
  copy: z.enum(['seekable']).optional().meta({ description: 'The copy in which players can jump, where there is one' }),
})
export type DownloadQuery = z.infer<typeof DownloadQuery>

export const Recording = z
  .object({
    id: idOf('rec'),
    meeting_id: Id,
    session_id: Id,
    source: z.enum(['mock', 'upload']),
    mocked: z.boolean(),
    status: z.enum(['active', 'processing', 'ready', 'failed']),
    failure: z
      .enum(['nothing_came', 'storage_full', 'chunks_lost', 'broken'])
      .nullable()
      .meta({ description: 'Why it is not to be had' }),
    visibility: z.enum(['hosts', 'participants']),
    content_type: z.string(),
    bytes: z.int(),
    sha256: z.string().nullable().meta({ description: 'Of the bytes as they were uploaded, in hexadecimal' }),
    duration_s: z.number().nullable(),
    seekable_bytes: z.int().nullable().meta({ description: 'Of the copy in which players can jump' }),
    participants: z
      .array(z.object({ id: Id, display_name: z.string() }))
      .meta({ description: 'Who was there when it began' }),
    started_at: Instant,
    ended_at: Instant.nullable(),
  })
  .meta({ id: 'Recording' })
export type Recording = z.infer<typeof Recording>

export const Recordings = listOf(Recording).meta({ id: 'Recordings' })

export const CreateLink = z.strictObject({
  ttl_s: z
    .int()
    .min(60)
    .max(7 * 24 * 3600)
    .default(3600),
})
export const Link = z
  .object({
    url: Secret.meta({ description: 'Whoever has it may download this one recording' }),
    expires_at: Instant,
  })
  .meta({ id: 'RecordingLink' })
export type Link = z.infer<typeof Link>

export const RecordingActive = problem('conflict', 'recording_active', 'This session is being recorded already')
export const RecordingOff = problem('conflict', 'recording_off', 'This meeting is not to be recorded')
export const RecordingOver = problem('conflict', 'recording_over', 'This recording takes nothing any more')
export const NotReady = problem('conflict', 'recording_not_ready', 'The recording is not ready')
export const ChunkMismatch = problem('conflict', 'chunk_mismatch', 'This chunk has come already, with other bytes')
export const ChunkMissing = problem('conflict', 'chunk_missing', 'A chunk has not come yet')
export const ChunksTooMany = problem('conflict', 'chunks_too_many', 'More chunks have come than there should be')
export const RecordingTooLarge = problem('too_large', 'recording_too_large', 'A recording may not be as large as that')
export const StorageFull = problem('no_room', 'storage_full', 'There is no room for more recordings')
export const LinkInvalid = problem('forbidden', 'link_invalid', 'The link is not valid, or not any more')
