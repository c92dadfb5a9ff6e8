import { route } from '../../http/route.ts'
import { NotFound, RateLimited } from '../../kernel/problem.ts'
import { Banned, NotAdmitted, OfMeeting } from '../meetings/schema.ts'
import { NoSession, NotJoined, NotThere } from '../presence/schema.ts'
import { ChatFull, ChatOff, ListMessages, Message, Messages, PostMessage } from './schema.ts'
import type { Chat } from './service.ts'

export const chatRoutes = (chat: Chat) => [
  route('POST /api/meetings/:meeting_id/messages', {
    summary: 'Write a message',
    description:
      'For who is inside, if the chat of the meeting is open to them. Everybody inside has it in their inbox, as a signal ' +
      'of type `chat`, in the order of the meeting.',
    access: 'participant',
    params: OfMeeting,
    body: PostMessage,
    reply: { 201: Message },
    problems: [NotFound, NotJoined, ChatOff, ChatFull, RateLimited],
    idempotent: true,
    location: ({ meeting_id, session_id, number }) =>
      `/api/meetings/${meeting_id}/messages?session_id=${session_id}&cursor=${number - 1}&limit=1`,
    handle: ({ caller, params, body }) => chat.post(caller, params.meeting_id, body),
  }),
  route('GET /api/meetings/:meeting_id/messages', {
    summary: 'Read the messages',
    description: 'Those of one session, the oldest first. For who was there, and for hosts.',
    access: 'participant',
    params: OfMeeting,
    query: ListMessages,
    reply: { 200: Messages },
    problems: [NotFound, NotAdmitted, Banned, NoSession, NotThere],
    handle: ({ caller, params, query }) => chat.list(caller, params.meeting_id, query),
  }),
]
