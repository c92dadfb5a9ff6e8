import { z } from 'zod'
import { Instant, idOf, Secret } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'
import { IceServer } from '../media/schema.ts'
import { Permissions, RosterEntry } from '../presence/schema.ts'

/** What crosses the wire. README.md in this folder tells what it is for. */

const connection = idOf('con')
const MyConnection = connection
  .optional()
  .meta({ description: 'Mine; may be left out while I have just one open connection in all' })
const Seq = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)

export const mostSignals = 64
/** The longest time to live, and the one that a signal has if nobody says otherwise. */
export const longestLife_ms = { sdp: 60_000, candidate: 45_000, bye: 120_000, custom: 300_000 }

const ClientType = z
  .string()
  .regex(
    /^(offer|answer|candidate|candidates|end_of_candidates|renegotiate|bye|custom\.[a-z0-9_.-]{1,48})$/,
    'must be offer, answer, candidate, candidates, end_of_candidates, renegotiate, bye or custom.<name>',
  )
  .meta({ examples: ['offer'] })

/** One of them; letters.ts sees to it, for a check in a schema costs more than all else that is done with it. */
export const Recipient = z.strictObject({
  connection: connection.optional(),
  participant: idOf('par').optional().meta({ description: 'Each of their connections' }),
  user: idOf('usr').optional().meta({ description: 'Each of their connections' }),
})
export type Recipient = z.infer<typeof Recipient>

const signal = {
  to: Recipient,
  type: ClientType,
  payload: z.unknown().meta({ description: 'Any JSON: it is passed on as it came' }),
  negotiation_id: z.string().max(128).optional().meta({ description: 'Passed on: which offer an answer is for' }),
  ice_session: z.string().min(1).max(256).optional().meta({
    description: 'The ufrag. A new one withdraws what is not acknowledged of the candidates of the old one',
  }),
  ttl_ms: z.int().min(100).max(longestLife_ms.custom).optional().meta({ description: 'Less than its type would have' }),
}

export const OutgoingSignal = z.strictObject(signal)
export type OutgoingSignal = z.infer<typeof OutgoingSignal>

const first_seq = z
  .int()
  .min(1)
  .max(2 ** 31 - 1 - mostSignals)
  .optional()
  .meta({
    description:
      'The number of the first of these signals; I count mine from 1 for each connection. With it a repetition is ' +
      'recognised: every signal is delivered once, however often it was sent',
  })
const signals = z.array(OutgoingSignal).min(1).max(mostSignals)

/** In a frame of a WebSocket, whose `type` is not that of a signal: so there is always a list. */
export const SendFrame = z.strictObject({ first_seq, signals })

/** Several, or one without the list around it. */
export const Send = z
  .strictObject({
    connection: MyConnection,
    first_seq,
    signals: signals.optional(),
    to: Recipient.optional(),
    type: ClientType.optional(),
    payload: z.unknown().optional(),
    negotiation_id: signal.negotiation_id,
    ice_session: signal.ice_session,
    ttl_ms: signal.ttl_ms,
  })
  .refine(
    ({ connection: _, first_seq: __, signals, ...bare }) => {
      if (signals !== undefined) return Object.keys(bare).length === 0
      return bare.to !== undefined && bare.type !== undefined && bare.payload !== undefined
    },
    { message: 'must have either signals, or to, type and payload with what else that one signal has' },
  )
  .meta({ description: 'Either `signals`, or one signal bare: `to`, `type`, `payload` and what else it has' })
export type Send = z.infer<typeof Send>

export const Outcome = z.object({
  status: z.enum(['queued', 'duplicate', 'recipient_gone', 'stale_ice_session', 'backlogged']),
  first_status: z
    .enum(['queued', 'recipient_gone', 'stale_ice_session', 'backlogged'])
    .optional()
    .meta({ description: 'Of a duplicate: what became of the first' }),
  deliveries: z
    .array(z.object({ connection, seq: Seq }))
    .meta({ description: 'Into which inboxes it was put, and where' }),
})
export type Outcome = z.infer<typeof Outcome>

export const Sent = z.object({ results: z.array(Outcome) }).meta({ id: 'Sent' })
export type Sent = z.infer<typeof Sent>

export const GapReply = z
  .object({
    from_seq: Seq,
    to_seq: Seq,
    reason: z.enum(['expired', 'stale_ice_session', 'peer_left']),
  })
  .meta({ id: 'Gap', description: 'Signals that were taken back before they were acknowledged' })

export const IncomingSignal = z
  .object({
    seq: Seq,
    type: z.string().meta({
      description:
        'Of a client, or one of the server: peer_joined, peer_updated, peer_left, undelivered, answered_elsewhere, meeting, chat, recording',
      examples: ['offer'],
    }),
    from: z
      .object({ connection, participant: idOf('par'), user: idOf('usr').nullable() })
      .nullable()
      .meta({ description: 'Stamped by the server' }),
    payload: z.unknown(),
    negotiation_id: z.string().nullable(),
    ice_session: z.string().nullable(),
    glare: z.boolean().meta({ description: 'An offer that crossed with one of mine which came first' }),
    sent_at: Instant,
    expires_at: Instant.nullable(),
    deliveries: z.int().meta({ description: 'How often this process has delivered it, as far as it remembers' }),
  })
  .meta({ id: 'Signal' })

const inboxPage = {
  signals: z.array(IncomingSignal),
  cursor: Seq.meta({ description: 'What to read after next, and what to acknowledge once all of this is used' }),
  acked_through: Seq.meta({ description: 'Everything up to here is acknowledged' }),
  pending: z.int().meta({ description: 'How many are not acknowledged, these included' }),
  has_more: z.boolean(),
  gap: GapReply.nullable(),
  waited_ms: z.int(),
  retry_after_ms: z.int().optional().meta({ description: 'The server is about to stop: ask again after this' }),
}
export const Inbox = z.object(inboxPage).meta({ id: 'Inbox' })

export const longestWait_s = 25

export const ReadInbox = z.strictObject({
  connection: MyConnection,
  after: z.coerce.number().pipe(Seq).default(0).meta({ description: 'The cursor of what I have' }),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  wait: z.coerce
    .number()
    .min(0)
    .max(3600)
    .default(0)
    .transform(wait => Math.min(wait, longestWait_s))
    .meta({ description: 'Seconds to hold on until there is something; 25 at most' }),
  ack: z.coerce.number().pipe(Seq).optional().meta({ description: 'Acknowledges everything up to here, first' }),
})
export type ReadInbox = z.infer<typeof ReadInbox>

const acked = z.strictObject({
  up_to: Seq.optional(),
  seqs: z.array(Seq.min(1)).min(1).max(1000).optional(),
})
const isOne = (ack: z.infer<typeof acked>): boolean => (ack.up_to === undefined) !== (ack.seqs === undefined)
const one = 'must have either up_to or seqs'

export const AckFrame = acked.refine(isOne, one)
export const Ack = acked.extend({ connection: MyConnection }).refine(isOne, one)
export type Ack = z.infer<typeof Ack>

export const Acked = z
  .object({
    acknowledged: z.int().meta({ description: 'How many had not been, before' }),
    acked_through: Seq.meta({ description: 'Everything up to here is' }),
  })
  .meta({ id: 'Acked' })
export type Acked = z.infer<typeof Acked>

export const Resume = z.strictObject({
  connection,
  resume_token: Secret.max(128),
  cursor: Seq.meta({ description: 'The last seq that I have used' }),
})
export type Resume = z.infer<typeof Resume>

export const Resumed = z
  .object({
    connection: z.object({ id: connection, resume_token: Secret }),
    role: RosterEntry.shape.role,
    permissions: Permissions,
    roster: z.array(RosterEntry),
    roster_version: z.int(),
    inbox: z.object({
      cursor: Seq.meta({ description: 'Where to read on: mine, unless it lies beyond what there is' }),
      acked_through: Seq,
      pending: z.int(),
      send_next: z.int().meta({ description: 'The `first_seq` of my next send' }),
    }),
    gaps: z.array(GapReply).meta({ description: 'What was taken back of what I have not read' }),
    ice_servers: z.array(IceServer),
  })
  .meta({ id: 'Resumed' })
export type Resumed = z.infer<typeof Resumed>

export const OfConnection = z.strictObject({ connection: MyConnection })
export const Ticket = z.object({ ticket: Secret, expires_at: Instant }).meta({ id: 'Ticket' })
export type Ticket = z.infer<typeof Ticket>

export const OpenChannel = z.strictObject({
  connection,
  ticket: Secret.max(128),
  after: z.coerce.number().pipe(Seq).default(0).meta({ description: 'The cursor of what I have' }),
})
export type OpenChannel = z.infer<typeof OpenChannel>

export const IceServers = z.object({ ice_servers: z.array(IceServer) }).meta({ id: 'IceServers' })

export const AckAhead = problem('conflict', 'ack_ahead', 'This inbox has no signal with that number yet; resume')
export const PollSuperseded = problem('conflict', 'poll_superseded', 'Another reader of this inbox came after you')
export const SendGap = problem('conflict', 'send_gap', 'Signals with smaller numbers have not arrived')
export const SendMismatch = problem(
  'invalid',
  'idempotency_mismatch',
  'A signal with this number and another content has been sent',
)
export const Backlogged = problem('limited', 'backlogged', 'The recipient has too much of yours unread')
export const ViewerMayNotSend = problem('forbidden', 'viewer_may_not_send', 'You may not send sound or pictures here')
export const TicketRefused = problem('unauthenticated', 'ticket_refused', 'The ticket is used, expired or of another')
export const WebSocketExpected = problem('malformed', 'websocket_expected', 'This address speaks WebSocket')
