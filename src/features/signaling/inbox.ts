import type { LeaveReason } from '../../events/events.ts'
import type { Role } from '../meetings/types.ts'

/**
 * One inbox, as it stood at one revision: who it belongs to, how far it is read, and all in it that has not been
 * acknowledged. Nothing here asks the database. Whoever wants to change an inbox makes a draft of it (draft.ts), and the
 * draft becomes the inbox once it is committed.
 */
export interface Inbox {
  readonly id: string
  readonly tenant_id: string
  readonly meeting_id: string
  readonly session_id: string
  readonly participant_id: string
  user_id: string | null
  /** Of two, the one that came later is the polite one. */
  readonly joined_as: number
  /** The login, or the generation of guest tokens, with which it is used. */
  token_family: string
  role: Role
  may_send: boolean
  closed: LeaveReason | null
  /** Rises with every change, whoever makes it: of two copies with the same one, neither knows better. */
  revision: number
  /** The one with which something last came in, or was taken back. */
  signals_revision: number
  next_seq: number
  /** Everything up to here is acknowledged, and gone. */
  acked_through: number
  /** The number that its next send will have. */
  send_next: number
  /** One for each seq from `acked_through` to `next_seq`, in order and without a hole. */
  unacked: Stored[]
  /** How many of them each sender has there; the server's own do not count. */
  shares: Map<string, number>
  pairs: Pairs
  /** The same as it is stored. */
  pairs_text: string | null
  /** When this node was last sure of it, by performance.now(). */
  as_of: number
  /** When somebody last read it here, and how far. */
  read_at: number
  served: number
}

/** A signal in an inbox. It is never rewritten; what happens to it is its state. */
export interface Stored {
  seq: number
  /** The first of those that were stored with it, in one row. */
  run: number
  /** The connection; null when the server itself tells something. */
  sender: string | null
  type: string
  ice_session: string | null
  expires_at: string | null
  /** Null while it is to be read; else acknowledged ahead of others, or why there is a gap in its place. */
  state: 'acked' | GapReason | null
  /** The members of its JSON text, but for `seq` and `deliveries`: written once, and never parsed again. */
  body: string
  deliveries: number
}

/** What makes up a negotiation, and goes with it. A bye or a custom signal is a word in its own right. */
export const ofNegotiations: ReadonlySet<string> = new Set([
  'offer',
  'answer',
  'candidate',
  'candidates',
  'end_of_candidates',
])

/** The other types are the server's own. */
export const isOfClient = (type: string): boolean =>
  ofNegotiations.has(type) || type === 'renegotiate' || type === 'bye' || type.startsWith('custom.')

export type GapReason = 'expired' | 'stale_ice_session' | 'peer_left'
export interface Gap {
  from_seq: number
  to_seq: number
  reason: GapReason
}

/** What the owner of an inbox and one sender have going between them, in the direction of the inbox. */
export interface Pair {
  /** The sender's ICE session of now, and those before it. */
  ice?: string
  past?: string[]
  /** The sender's offer awaits an answer, until then at most. */
  offer_until?: string
  /** The other connections that got the same offer. */
  group?: string[]
  /** Something was dropped here; until the sender begins anew, so is everything else. */
  backlogged?: true
}

export interface Pairs {
  [sender: string]: Pair
}

export interface Page {
  signals: Stored[]
  /** The last seq that this page covers. */
  cursor: number
  has_more: boolean
  gap: Gap | null
}

export const maxBytes = 256 * 1024

/** What is to be read after a seq, in order. Reading changes nothing. A page has one gap at most, and ends before a second. */
export function pageOf(inbox: Inbox, after: number, limit: number, now: string): Page {
  const page: Page = { signals: [], cursor: Math.max(after, inbox.acked_through), has_more: false, gap: null }
  let bytes = 0
  for (let i = page.cursor - inbox.acked_through; i < inbox.unacked.length; i++) {
    const entry = inbox.unacked[i] as Stored
    const reason = reasonOf(entry, now)
    if (entry.state === 'acked') {
      page.cursor = entry.seq
    } else if (reason === null) {
      bytes += Buffer.byteLength(entry.body)
      if (page.signals.length === limit || (bytes > maxBytes && page.signals.length > 0)) return more(page)
      page.signals.push(entry)
      page.cursor = entry.seq
    } else {
      const goesOn = page.gap?.to_seq === entry.seq - 1 && page.gap.reason === reason
      if (page.gap && !goesOn) return more(page)
      page.gap = { from_seq: page.gap?.from_seq ?? entry.seq, to_seq: entry.seq, reason }
      page.cursor = entry.seq
    }
  }
  return page
}

const more = (page: Page): Page => ({ ...page, has_more: true })

/** Whose time has passed is not delivered any more, even before the sweeper has noticed. */
export function reasonOf({ state, expires_at }: Stored, now: string): GapReason | null {
  if (state !== null && state !== 'acked') return state
  return state === null && expires_at !== null && expires_at <= now ? 'expired' : null
}

/** All that was taken back of what comes after a seq. */
export function gapsAfter(inbox: Inbox, after: number, now: string): Gap[] {
  const gaps: Gap[] = []
  for (const entry of inbox.unacked) {
    const reason = entry.seq > after ? reasonOf(entry, now) : null
    if (reason === null) continue
    const last = gaps.at(-1)
    if (last?.to_seq === entry.seq - 1 && last.reason === reason) last.to_seq = entry.seq
    else gaps.push({ from_seq: entry.seq, to_seq: entry.seq, reason })
  }
  return gaps
}

/** How many there are to acknowledge after a seq. */
export function pendingAfter(inbox: Inbox, seq: number): number {
  const first = Math.max(seq, inbox.acked_through) - inbox.acked_through
  let pending = 0
  for (let i = first; i < inbox.unacked.length; i++) if (inbox.unacked[i]?.state !== 'acked') pending++
  return pending
}

/** The same as JSON, which is written into each signal of theirs. */
export function stampOf(owner: ReturnType<typeof ownerOf> | null): string {
  if (owner === null) return 'null'
  const { connection, participant, user } = owner
  return `{"connection":"${connection}","participant":"${participant}","user":${user === null ? 'null' : `"${user}"`}}`
}

export const ownerOf = ({ id, participant_id, user_id }: Pick<Inbox, 'id' | 'participant_id' | 'user_id'>) => ({
  connection: id,
  participant: participant_id,
  user: user_id,
})
