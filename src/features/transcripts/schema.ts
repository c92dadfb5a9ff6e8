import { z } from 'zod'
import { Id, Instant, idOf, oneLine, paragraphs } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

/** Segments of one session; beyond that, there is none. */
export const mostSegments = 20_000
export const mostTogether = 2000

const Offset = z
  .int()
  .min(0)
  .max(7 * 24 * 3_600_000)
  .meta({ description: 'Milliseconds since the session began', examples: [12_500] })

const SegmentOfBody = z
  .strictObject({
    participant_id: Id.optional().meta({ description: 'Who speaks; they have been in the session' }),
    speaker: oneLine(120)
      .optional()
      .meta({ description: 'Or by name: it is matched with who was there. With neither, it is me', examples: ['Ada'] }),
    start_ms: Offset,
    end_ms: Offset,
    text: paragraphs(4000)
      .min(1)
      .meta({ examples: ['Let us begin.'] }),
  })
  .refine(({ start_ms, end_ms }) => end_ms >= start_ms, { path: ['end_ms'], message: 'must not be before start_ms' })

export const AddTranscript = z.strictObject({ segments: z.array(SegmentOfBody).min(1).max(mostTogether) })
export type AddTranscript = z.infer<typeof AddTranscript>

export const OfSession = z.strictObject({
  session_id: Id.optional().meta({ description: 'The live session, or the latest, if left out' }),
})
export type OfSession = z.infer<typeof OfSession>

export const Added = z
  .object({
    session_id: Id,
    added: z.int(),
    duplicates: z.int().meta({ description: 'Those that were there already' }),
  })
  .meta({ id: 'TranscriptAdded' })
export type Added = z.infer<typeof Added>

export const Segment = z
  .object({
    id: idOf('seg'),
    participant_id: Id.nullable().meta({ description: 'Null when nobody who was there has that name' }),
    speaker: z.string(),
    start_ms: z.int(),
    end_ms: z.int(),
    text: z.string(),
  })
  .meta({ id: 'Segment' })
export type Segment = z.infer<typeof Segment>

export const Transcript = z
  .object({ session_id: Id, started_at: Instant, segments: z.array(Segment) })
  .meta({ id: 'Transcript' })
export type Transcript = z.infer<typeof Transcript>

export const TranscriptClosed = problem(
  'conflict',
  'transcript_closed',
  'The session is over for more than a day: nothing is added any more',
)
export const TranscriptFull = problem('conflict', 'transcript_full', 'The transcript has as many segments as it may')
