import type { Db } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Bearer } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { every } from '../../kernel/every.ts'
import type { Limiter } from '../../kernel/limiter.ts'
import type { Log } from '../../kernel/log.ts'
import type { Metrics } from '../../kernel/metrics.ts'
import { RateLimited } from '../../kernel/problem.ts'
import type { Wakeups } from '../../wakeups/local.ts'
import type { Presence } from '../presence/service.ts'
import { ackOf } from './ack.ts'
import { createDoor } from './door.ts'
import { gapsAfter, type Inbox, pendingAfter } from './inbox.ts'
import { signalingJobs } from './jobs.ts'
import { lettersOf } from './letters.ts'
import { createMirror } from './mirror.ts'
import { createReaders, type Read, type Seat } from './reader.ts'
import { followRoster } from './roster.ts'
import type { Ack, Acked, OpenChannel, ReadInbox, Resume, Resumed, Send, Sent } from './schema.ts'
import { sendOf } from './send.ts'
import { createTickets } from './tickets.ts'
import { createWriter } from './writer.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  limiter: Limiter
  log: Log
  metrics: Metrics
  wakeups: Wakeups
  presence: Presence
  /** Whether other processes may write to the same database. */
  shared: boolean
}

/** Of one connection: fifty a second, and two hundred at once. */
const budget = { name: 'signals', amount: 200, per_s: 4 }

export type Signaling = ReturnType<typeof createSignaling>

/** The inbox, as its users know it. README.md in this folder tells of the protocol. */
export function createSignaling(deps: Deps) {
  const { db, clock, limiter, log, metrics, wakeups, presence, shared } = deps
  const mirror = createMirror(deps)
  const writer = createWriter({ db, clock, mirror, shared, published })
  const readers = createReaders({
    ...deps,
    mirror,
    woken: by => metrics.readersWoken.inc({ by }),
    heard: presence.heard.hear,
  })
  const door = createDoor({ db, mirror, presence, evict: readers.evict })
  const tickets = createTickets({ db, clock })
  presence.heard.onHeld(mirror.heldIds)
  wakeups.follow('inbox', id => (id === undefined ? mirror.doubtAll('hint') : mirror.doubt([id], 'hint')))
  const { tellAll } = followRoster({ ...deps, changed })
  metrics.gauge('parley_inbox_readers', 'Who waits for signals', () => mirror.heldCount)
  metrics.gauge('parley_inbox_writes_waiting', 'Requests that wait for the next commit', () => writer.waiting)

  /** Committed by the writer, and known here; those who are read elsewhere are told there. */
  function published(ids: string[]): void {
    for (const id of ids) if (!readers.isReadHere(id)) wakeups.tell(`inbox ${id}`)
  }

  /** Committed by a transaction of somebody else: whoever has them in memory reads them anew. */
  function changed(ids: string[]): void {
    mirror.doubt(ids, 'commit')
    for (const id of ids) wakeups.tell(`inbox ${id}`)
  }

  return {
    jobs: signalingJobs({ db, clock, mirror, writer }),
    tellAll,

    async send(bearer: Bearer, send: Send): Promise<Sent> {
      return sendAs(await door.enter(bearer, send.connection), send)
    },

    /** Over a channel, which was opened by whoever may. */
    sendBy: async (connection: string, send: Send): Promise<Sent> => sendAs(await door.reenter(connection), send),
    ackBy: async (connection: string, ack: Ack): Promise<Acked> => ackAs(await door.reenter(connection), ack),

    /** An answer has its acknowledgement committed, too. */
    async poll(bearer: Bearer, query: ReadInbox, whenGone: (gone: () => void) => void): Promise<Read> {
      const me = await door.enter(bearer, query.connection)
      if (query.ack !== undefined) await ackAs(me, { up_to: query.ack })
      const seat = readers.take(me.id)
      whenGone(() => seat.end('gone'))
      try {
        return await seat.next({ after: query.after, limit: query.limit, wait_ms: query.wait * 1000 })
      } finally {
        seat.leave()
      }
    },

    async ack(bearer: Bearer, ack: Ack): Promise<Acked> {
      return ackAs(await door.enter(bearer, ack.connection), ack)
    },

    /** Whoever was reading on another channel is not any more. */
    async resume(bearer: Bearer, { connection, resume_token, cursor }: Resume): Promise<Resumed> {
      const resumed = await presence.resume(await bearer.stand(), connection, resume_token)
      readers.evict(connection)
      mirror.doubt([connection], 'commit')
      const inbox = await door.enter(bearer, connection)
      return { ...resumed, inbox: stateOf(inbox, cursor), gaps: gapsAfter(inbox, cursor, clock.now()) }
    },

    async iceServers(bearer: Bearer, connection: string | undefined) {
      const { participant_id } = await door.enter(bearer, connection)
      return { ice_servers: presence.iceServersFor(participant_id) }
    },

    /** A ticket speaks for whoever got it; what becomes of them later ends the channel by closing the connection. */
    async openChannel({ connection, ticket }: OpenChannel): Promise<Seat> {
      await tickets.use(connection, ticket)
      return readers.take(connection)
    },

    stop: readers.stop,

    async ticket(bearer: Bearer, connection: string | undefined) {
      return tickets.issue((await door.enter(bearer, connection)).id)
    },

    /** Begins to look for lost hints, and to write who was heard of; returns the way to stop. */
    start(flushEvery_ms: number): () => Promise<void> {
      const sweep = every(shared ? 1000 : 2000, log, 'sweeping the inboxes', () => mirror.sweep(writer.settled))
      const flush = every(flushEvery_ms, log, 'writing who was heard of', presence.heard.flush)
      return async () => {
        await Promise.all([sweep(), flush()])
        await presence.heard.flush()
      }
    },
  }

  async function sendAs(me: Inbox, send: Send): Promise<Sent> {
    const wait = limiter.spend(budget, me.id, send.signals?.length ?? 1)
    if (wait > 0) throw RateLimited({ retry_after_s: wait })
    const letters = await lettersOf(db, me, send)
    const ringing = letters.flatMap(({ type, recipients: [to = ''] }) =>
      type === 'answer' ? (me.pairs[to]?.group ?? []) : [],
    )
    return { results: await writer.submit(sendOf(me, letters, send.first_seq, ringing)) }
  }

  /** What is acknowledged already stays so: a poll that says it again costs nothing. */
  async function ackAs(me: Inbox, ack: Pick<Ack, 'up_to' | 'seqs'>): Promise<Acked> {
    const { acked_through } = me
    if ((ack.up_to ?? Number.POSITIVE_INFINITY) <= acked_through) return { acknowledged: 0, acked_through }
    return writer.submit(ackOf(me, ack))
  }
}

/** Where to read on. Whoever has a cursor from beyond the end has it of a database that is not this one any more. */
function stateOf(inbox: Inbox, cursor: number): Resumed['inbox'] {
  const { acked_through, next_seq, send_next } = inbox
  const known = Math.min(Math.max(cursor, acked_through), next_seq - 1)
  return { cursor: known, acked_through, pending: pendingAfter(inbox, acked_through), send_next }
}
