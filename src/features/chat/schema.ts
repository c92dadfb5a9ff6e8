import { z } from 'zod'
import { Id, Instant, idOf, listOf, paragraphs } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

/** Messages of one session; beyond that, there is none. */
export const mostMessages = 10_000

export const PostMessage = z.strictObject({
  text: paragraphs(2000)
    .min(1)
    .overwrite(text => text.replace(/\r\n?/g, '\n'))
    .meta({ description: 'Plain text: nobody interprets it', examples: ['Hello!'] }),
  connection: idOf('con').optional().meta({ description: 'With which of mine I write; the latest, if left out' }),
})
export type PostMessage = z.infer<typeof PostMessage>

export const ListMessages = z.strictObject({
  session_id: Id.optional().meta({ description: 'The live session, or the latest, if left out' }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, 'is not a cursor of this list')
    .optional()
    .meta({ description: 'The `next_cursor` of the page before, or the `number` of the last message that I have' }),
})
export type ListMessages = z.infer<typeof ListMessages>

export const Message = z
  .object({
    id: idOf('msg'),
    meeting_id: Id,
    session_id: Id,
    number: z.int().meta({ description: 'Its place in the session: 1, 2, 3, without a hole' }),
    participant_id: Id,
    display_name: z.string().meta({ description: 'As they were called when they wrote' }),
    text: z.string(),
    sent_at: Instant,
  })
  .meta({ id: 'Message' })
export type Message = z.infer<typeof Message>

export const Messages = listOf(Message).meta({ id: 'Messages' })

export const ChatOff = problem('forbidden', 'chat_off', 'The chat of this meeting is not open to you')
export const ChatFull = problem('conflict', 'chat_full', 'As much has been written in this session as there may be')
