import { Rendered, route, text } from '../../http/route.ts'
import { NotFound, RateLimited } from '../../kernel/problem.ts'
import { ConnectionClosed, ConnectionRequired, NotJoined } from '../presence/schema.ts'
import { textOfRead } from './render.ts'
import {
  Ack,
  AckAhead,
  Acked,
  Backlogged,
  IceServers,
  Inbox,
  OfConnection,
  OpenChannel,
  PollSuperseded,
  ReadInbox,
  Resume,
  Resumed,
  Send,
  SendGap,
  SendMismatch,
  Sent,
  Ticket,
  TicketRefused,
  ViewerMayNotSend,
  WebSocketExpected,
} from './schema.ts'
import type { Signaling } from './service.ts'
import { channelOf } from './socket.ts'
import { streamOf } from './stream.ts'

const ofMine = [NotFound, NotJoined, ConnectionRequired, ConnectionClosed]

/** A browser says it again as it was told; what is no seq says nothing. */
const seqOf = (id = ''): number => (/^\d{1,9}$/.test(id) ? Number(id) : 0)

export const signalingRoutes = (signaling: Signaling) => [
  route('POST /api/rtc/signals', {
    summary: 'Send signals',
    description:
      'Up to 64, in their order; to a connection, or to each connection of a participant or user. A 200 means that they ' +
      'are stored. With `first_seq` the same POST may be sent again until it is answered, and each signal is delivered once.' +
      '\n\nA payload has at most 128 KiB (offer, answer), 64 KiB (candidates, custom) or 4 KiB (all others). What nobody ' +
      'fetches in time expires: offer, answer and renegotiate after 60 s, candidates after 45, bye after 120, custom after ' +
      '300. Of one sender at most 200 signals wait in one inbox (`backlogged`), and a connection sends 50 a second, 200 at ' +
      'once.\n\nSo that any two clients meet: whoever comes later offers, to everybody in its roster, and who is inside ' +
      'already waits for it. Where two offers cross, the `polite` side gives way. `bye` says: drop what is between us, I ' +
      'make it anew; that somebody has left, `peer_left` tells. `renegotiate` asks whoever offered first to do so again.',
    access: 'bearer',
    body: Send,
    body_limit: 512 * 1024,
    reply: { 200: Sent },
    problems: [...ofMine, SendGap, SendMismatch, ViewerMayNotSend, Backlogged, RateLimited],
    swift: true,
    handle: ({ caller, body }) => signaling.send(caller, body),
  }),
  route('GET /api/rtc/inbox', {
    summary: 'Read my inbox',
    description:
      'The signals after a cursor, in order. Reading deletes nothing: the same question has the same answer, until what ' +
      'it tells is acknowledged. With `wait` it is held until there is something. One reader an inbox: a newer one ' +
      'takes the place of an older one, which is answered `poll_superseded`.',
    access: 'bearer',
    query: ReadInbox,
    reply: { 200: Inbox },
    problems: [...ofMine, AckAhead, PollSuperseded],
    swift: true,
    async handle({ caller, query, whenGone }) {
      const started = performance.now()
      const read = await signaling.poll(caller, query, whenGone)
      return new Rendered(textOfRead(read, Math.round(performance.now() - started)))
    },
  }),
  route('POST /api/rtc/ack', {
    summary: 'Acknowledge signals',
    description:
      'All up to a seq, or some. They are not delivered again. Repeating it changes nothing, and a gap may be ' +
      'acknowledged like a signal.',
    access: 'bearer',
    body: Ack,
    reply: { 200: Acked },
    problems: [...ofMine, AckAhead],
    swift: true,
    handle: ({ caller, body }) => signaling.ack(caller, body),
  }),
  route('POST /api/rtc/resume', {
    summary: 'Go on with a connection',
    description:
      'After a lost network or a restart: who is inside now, what I have missed, and a new `resume_token`. The old token ' +
      'stays good until the new one is used, in case the answer is lost.',
    access: 'bearer',
    body: Resume,
    reply: { 200: Resumed },
    problems: [NotFound, ConnectionClosed],
    handle: ({ caller, body }) => signaling.resume(caller, body),
  }),
  route('POST /api/rtc/tickets', {
    summary: 'Get a ticket for a channel',
    description: 'For the stream or the WebSocket, where a browser can set no header. It is good once, for 30 seconds.',
    access: 'bearer',
    body: OfConnection,
    reply: { 201: Ticket },
    location: () => '/api/rtc/stream',
    problems: ofMine,
    handle: ({ caller, body }) => signaling.ticket(caller, body.connection),
  }),
  route('GET /api/rtc/stream', {
    summary: 'Read my inbox as a stream of events',
    description:
      'Server-Sent Events: `signal`, with its seq as id; `gap`; and `end`, with the code of why. Acknowledge by POST. ' +
      '`Last-Event-ID` says the same as `after`.',
    access: 'anyone',
    query: OpenChannel,
    reply: { 200: text('text/event-stream; charset=utf-8') },
    headers: { 'X-Accel-Buffering': 'no' },
    problems: [TicketRefused, ConnectionClosed],
    async handle({ query, header, whenGone }) {
      const seat = await signaling.openChannel(query)
      whenGone(() => {
        seat.end('gone')
        seat.leave() // it may never have come to be read
      })
      return streamOf(seat, Math.max(query.after, seqOf(header('last-event-id'))))
    },
  }),
  route('GET /api/rtc/ws', {
    summary: 'Read and write my inbox over WebSocket',
    description:
      'Frames are JSON. The server sends `{"type":"signals",…}`, as the inbox is answered; the client ' +
      '`{"type":"send","ref",…}` with `first_seq` and `signals`, and `{"type":"ack","ref",…}` with `up_to` or `seqs`; it is ' +
      'answered `{"type":"sent"|"acked","ref",…}` or `{"type":"problem","ref","problem"}`. Closed with 4409 by a newer reader, with 4410 when the ' +
      'connection is closed.',
    access: 'anyone',
    query: OpenChannel,
    reply: { 101: null },
    problems: [TicketRefused, WebSocketExpected],
    async connect({ query }) {
      return channelOf(signaling, query.connection, await signaling.openChannel(query), query.after)
    },
    handle(): never {
      throw WebSocketExpected()
    },
  }),
  route('GET /api/rtc/ice-servers', {
    summary: 'Get the STUN and TURN servers',
    description: 'With credentials of my own, for an hour at most.',
    access: 'bearer',
    query: OfConnection,
    reply: { 200: IceServers },
    problems: ofMine,
    handle: ({ caller, query }) => signaling.iceServers(caller, query.connection),
  }),
]
