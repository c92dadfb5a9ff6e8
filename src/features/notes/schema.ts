import { z } from 'zod'
import { Id, Instant, idOf, oneLine, paragraphs, Version } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

export const Sentiment = z.enum(['neutral', 'positive', 'negative'])
export type Sentiment = z.infer<typeof Sentiment>

const Status = z.enum(['pending', 'ready', 'failed'])

export const Cue = z
  .object({
    id: Id.meta({ description: 'Of the segment of the transcript, or of the message' }),
    source: z.enum(['transcript', 'chat']),
    start_ms: z.int().nullable().meta({ description: 'Since the session began; null for a message' }),
  })
  .meta({ id: 'Cue' })
export type Cue = z.infer<typeof Cue>

export const KeyPoint = z
  .object({
    text: z.string(),
    cues: z.array(Cue).meta({ description: 'Where it was said, in these very words; none if a person wrote it' }),
  })
  .meta({ id: 'KeyPoint' })
export type KeyPoint = z.infer<typeof KeyPoint>

export const ActionItem = z
  .object({
    text: z.string(),
    who: z.string().optional().meta({ description: 'The name of who took it on, if that was said' }),
    due: z
      .string()
      .optional()
      .meta({ description: 'In the words in which it was said', examples: ['by Friday'] }),
  })
  .meta({ id: 'ActionItem' })
export type ActionItem = z.infer<typeof ActionItem>

export const WriteNotes = z.strictObject({
  session_id: idOf('ses').optional().meta({ description: 'The live session, or else the latest, if left out' }),
  wait: z.int().min(0).max(10).default(10).meta({ description: 'Seconds to hold on for them' }),
})
export type WriteNotes = z.infer<typeof WriteNotes>

export const ReadNotes = z.strictObject({
  session_id: idOf('ses').optional().meta({ description: 'The latest session that has notes, if left out' }),
  all: z.literal('1').optional().meta({ description: 'Every version, in short' }),
})
export type ReadNotes = z.infer<typeof ReadNotes>

const most = 100
const Sentence = paragraphs(2000).min(1)

export const EditNotes = z.strictObject({
  summary: paragraphs(20_000).optional(),
  key_points: z
    .array(z.strictObject({ text: Sentence, cues: z.array(z.strictObject(Cue.shape)).max(20).default([]) }))
    .max(most)
    .optional(),
  action_items: z
    .array(z.strictObject({ text: Sentence, who: oneLine(120).optional(), due: oneLine(200).optional() }))
    .max(most)
    .optional(),
  sentiment: Sentiment.optional(),
})
export type EditNotes = z.infer<typeof EditNotes>

export const OfVersion = z.object({
  meeting_id: Id,
  version: z.coerce.number().int().min(1).max(999_999).meta({ description: 'Of the notes of this meeting' }),
})

const known = {
  version: Version.meta({ description: 'Counted from 1 in each meeting, over all of its sessions' }),
  meeting_id: Id,
  session_id: Id,
  status: Status,
  created_at: Instant,
}
const origin = {
  engine: z.string(),
  mocked: z.boolean().meta({ description: 'Whether there was nothing to read, and so all of it is a sample' }),
  edited_by: Id.nullable().meta({ description: 'The participant who edited it; null if no person has' }),
  based_on: Version.nullable().meta({ description: 'The version that was edited' }),
}

export const Notes = z
  .object({
    ...known,
    status: z.literal('ready'),
    ...origin,
    transcript_text: z.string(),
    summary: z.string(),
    key_points: z.array(KeyPoint),
    action_items: z.array(ActionItem),
    sentiment: Sentiment,
  })
  .meta({ id: 'Notes' })
export type Notes = z.infer<typeof Notes>

export const NotesAwaited = z
  .object({
    ...known,
    status: z.enum(['pending', 'failed']),
    reason: z.string().nullable().meta({ description: 'Why there are none, once they have failed' }),
  })
  .meta({ id: 'NotesAwaited' })
export type NotesAwaited = z.infer<typeof NotesAwaited>

export const NotesVersions = z.object({
  data: z.array(
    z.object({ ...known, ...origin, reason: z.string().nullable(), latest: z.boolean() }).meta({ id: 'NotesVersion' }),
  ),
})
export type NotesVersions = z.infer<typeof NotesVersions>

export const NotesNotReady = problem('conflict', 'notes_not_ready', 'These notes are not written')
export const TooManyVersions = problem('conflict', 'too_many_versions', 'This meeting has as many notes as it may have')
