import { randomUUID } from 'node:crypto'
import type { Origin, Outcome } from '../wire.ts'
import { createInbox, type Fault, type Inbox } from './inbox.ts'
import { notFound } from './refusal.ts'

/** A meeting of the small relay, and who is or was in it. */
export interface Meeting {
  id: string
  owner: string
  people: Map<string, string>
  connections: Map<string, Connection>
  version: number
}

/** What stands between the owner of an inbox and one sender. */
interface Pair {
  ice?: string
  past: Set<string>
  isOffering: boolean
  ringing: Connection[]
  backlogged: boolean
}

export interface Connection {
  id: string
  inbox: Inbox
  joined_as: number
  resume_tokens: string[]
  send_next: number
  sends: Map<number, { digest: string; outcome: Outcome }>
  pairWith(sender: Connection): Pair
  tell(type: string, payload: object, from?: Origin): void
}

export function createMeeting(owner: string): Meeting {
  const id = `mtg_${randomUUID()}`
  return { id, owner, people: new Map([[owner, `par_${randomUUID()}`]]), connections: new Map(), version: 0 }
}

export function join(meeting: Meeting, user: string, fault: Fault): Connection {
  const participant = meeting.people.get(user)
  if (participant === undefined) throw notFound()
  const connection = createConnection(
    { connection: `con_${randomUUID()}`, participant, user },
    ++meeting.version,
    fault,
  )
  for (const other of openIn(meeting)) {
    const about = { participant: { id: participant }, connection: connection.id, polite: false }
    other.tell('peer_joined', { ...about, roster_version: meeting.version }, connection.inbox.owner)
  }
  meeting.connections.set(connection.id, connection)
  return connection
}

export function leave(meeting: Meeting, connection: Connection, reason: string, replaced_by?: string): void {
  const { inbox, id } = connection
  if (inbox.closed) return
  inbox.close(reason)
  meeting.version++
  for (const other of openIn(meeting)) {
    const isNegotiating = /^(offer|answer|candidates?|end_of_candidates)$/
    other.inbox.withdraw('peer_left', ({ from, type }) => from?.connection === id && isNegotiating.test(type))
    const about = { connection: id, participant: inbox.owner.participant, reason, replaced_by }
    other.tell('peer_left', { ...about, roster_version: meeting.version }, inbox.owner)
  }
}

export const openIn = ({ connections }: Meeting): Connection[] =>
  [...connections.values()].filter(({ inbox }) => !inbox.closed)

/** The others, as one of them sees them. */
export const rosterOf = (meeting: Meeting, me: Connection) =>
  openIn(meeting)
    .filter(other => other !== me)
    .map(({ inbox, joined_as }) => ({ ...inbox.owner, polite: me.joined_as > joined_as }))

function createConnection(owner: Origin, joined_as: number, fault: Fault): Connection {
  const pairs = new Map<string, Pair>()
  const inbox = createInbox(owner, fault)
  return {
    id: owner.connection,
    inbox,
    joined_as,
    resume_tokens: [randomUUID()],
    send_next: 1,
    sends: new Map(),

    pairWith({ id }) {
      const pair = pairs.get(id) ?? { past: new Set(), isOffering: false, ringing: [], backlogged: false }
      pairs.set(id, pair)
      return pair
    },

    /** What the relay itself says does not expire. */
    tell(type, payload, from) {
      const nothing = { negotiation_id: null, ice_session: null, glare: false, expires_at: null }
      const signal = { type, from: from ?? null, payload, sent_at: new Date().toISOString(), ...nothing }
      inbox.append({ signal, life_ms: Number.POSITIVE_INFINITY })
    },
  }
}
