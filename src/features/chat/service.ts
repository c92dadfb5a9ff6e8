import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import { type Caller, callerId } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { Limiter } from '../../kernel/limiter.ts'
import { NotFound, RateLimited } from '../../kernel/problem.ts'
import { standingOf } from '../meetings/standing.ts'
import { hosts, type Role } from '../meetings/types.ts'
import { NotJoined } from '../presence/schema.ts'
import type { Presence } from '../presence/service.ts'
import type { Signaling } from '../signaling/service.ts'
import { ChatFull, ChatOff, type ListMessages, type Message, mostMessages, type PostMessage } from './schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  limiter: Limiter
  presence: Presence
  signaling: Signaling
}

/** Of one person: a few lines in a row, and then one every other second. */
const budget = { name: 'messages', amount: 20, per_s: 40 }

export type Chat = ReturnType<typeof createChat>

export function createChat({ db, clock, events, limiter, presence, signaling }: Deps) {
  return {
    /** Kept, and told to everybody inside, in one transaction: so it has its place among the signals. */
    async post(caller: Caller, meeting_id: string, { text, connection }: PostMessage): Promise<Message> {
      const wait = limiter.spend(budget, callerId(caller))
      if (wait > 0) throw RateLimited({ retry_after_s: wait })
      const { message, from } = await inTransaction(db, async db => {
        const { meeting, me } = await standingOf(db, caller, meeting_id, 'lock')
        const session = me.state === 'inside' ? await presence.past.findSession(db, meeting_id) : undefined
        const from = session && (await ownConnection(db, caller.tenant_id, meeting_id, me.id, connection))
        if (!session || !from) throw NotJoined()
        if (!mayWrite(me.role, meeting.chat)) throw ChatOff()
        const number = (await store.lastNumber(db, session.id)) + 1
        if (number > mostMessages) throw ChatFull()
        const message: Message = {
          id: newId('msg'),
          meeting_id,
          session_id: session.id,
          number,
          participant_id: me.id,
          display_name: me.display_name,
          text,
          sent_at: clock.now(),
        }
        await store.insert(db, { ...message, tenant_id: caller.tenant_id })
        await events.record(db, caller, {
          type: 'message.posted',
          meeting_id,
          session_id: session.id,
          participant_id: me.id,
          message_id: message.id,
        })
        await signaling.tellAll(db, { tenant_id: caller.tenant_id, meeting_id }, 'chat', message, { from })
        return { message, from }
      })
      presence.heard.hear(from.connection)
      return message
    },

    /** For whoever was there, then or now. */
    async list(caller: Caller, meeting_id: string, { session_id, limit, cursor }: ListMessages) {
      const { session } = await presence.past.requireWitness(db, caller, meeting_id, session_id)
      const found = await store.listAfter(db, session.id, Number(cursor ?? 0), limit + 1)
      const data = found.slice(0, limit)
      return { data, next_cursor: found.length > limit ? String(data.at(-1)?.number) : null }
    },

    /** All of it, for who makes notes. */
    listOfSession: (db: Db, session_id: string): Promise<Message[]> => store.listAfter(db, session_id, 0, mostMessages),
  }

  /** The one that is named has to be theirs; otherwise it is the one with which they came last. */
  async function ownConnection(db: Db, tenant_id: string, meeting_id: string, me: string, id: string | undefined) {
    const present = await presence.listPresent(db, tenant_id, meeting_id)
    const mine = present?.connections.filter(({ participant }) => participant === me) ?? []
    const own = id === undefined ? mine.at(-1) : mine.find(({ connection }) => connection === id)
    if (!own && id !== undefined) throw NotFound()
    return own && { connection: own.connection, participant: me, user: own.user_id }
  }
}

const mayWrite = (role: Role, allowed: 'all' | 'hosts' | 'off'): boolean =>
  allowed === 'all' || (allowed === 'hosts' && hosts(role))
