import { NotFound } from '../../kernel/problem.ts'
import { ConnectionClosed } from '../presence/schema.ts'
import type { Draft } from './draft.ts'
import { ownerOf, stampOf } from './inbox.ts'
import { beginIceSession, isGlare, isStale, noteAnswer, noteOffer, startsAnew } from './negotiation.ts'
import {
  Backlogged,
  mostSignals,
  type Outcome,
  type OutgoingSignal,
  SendGap,
  SendMismatch,
  ViewerMayNotSend,
} from './schema.ts'
import { sendsMedia } from './sdp.ts'
import * as store from './store.ts'
import { whenOf, whoOf } from './telling.ts'
import { type Desk, TooBusy, type Work } from './writer.ts'

/** One POST of signals: what becomes of each of them, decided while the sender and all recipients stand still. */

/** A signal as it was checked at the door, and to whom it goes. */
export interface Letter extends Pick<OutgoingSignal, 'type' | 'negotiation_id' | 'ice_session'> {
  payload: unknown
  /** The payload and its names, as they are passed on. */
  text: string
  life_ms: number
  /** The connections that are meant, as they were known at the door; never the sender's own. */
  recipients: string[]
  /** What makes it the same signal when it comes again; only what is numbered needs it. */
  digest: string
}

export interface Sender {
  id: string
  session_id: string
  token_family: string
}

const mostUnacked = 1000
const mostOfOneSender = 200
/** So many numbers back, a repetition is compared with what it repeats. */
const compared = 1024

/** `others` are concerned as far as it is known: those that ring with an offer which this may answer. */
export function sendOf(
  sender: Sender,
  letters: Letter[],
  first_seq: number | undefined,
  others: string[],
): Work<Outcome[]> {
  let known: store.SendRow[] = []

  return {
    ids: [...new Set([sender.id, ...letters.flatMap(({ recipients }) => recipients), ...others])],
    session_id: sender.session_id,
    bytes: letters.reduce((sum, { text }) => sum + text.length + 300, 0),

    async look(batch, desk) {
      const next = desk.draft(sender.id)?.inbox.send_next ?? 0
      if (first_seq === undefined || first_seq >= next) return
      known = await store.findSends(batch, sender.id, first_seq - mostSignals, first_seq + letters.length - 1)
    },

    decide(desk) {
      const me = requireOpen(desk, sender)
      if (first_seq === undefined) return dispatch(desk, me, letters)
      const repeated = repeatedOf(me, first_seq, letters, [...known, ...desk.sends])
      const fresh = letters.slice(repeated.length)
      if (fresh.length === 0) return repeated
      const outcomes = dispatch(desk, me, fresh)
      remember(desk, me, fresh, outcomes)
      return [...repeated, ...outcomes]
    },
  }
}

/** Whoever calls was known by their token before; what has become of them since is known only now. */
export function requireOpen(desk: Desk, { id, token_family }: Sender): Draft {
  const me = desk.draft(id)
  if (!me) throw NotFound()
  if (me.inbox.closed) throw ConnectionClosed({ reason: me.inbox.closed })
  if (me.inbox.token_family !== token_family) throw TooBusy() // another login has just taken it over
  return me
}

/** What is known already is answered as the first time, and changes nothing. */
function repeatedOf(me: Draft, first_seq: number, letters: Letter[], rows: store.SendRow[]): Outcome[] {
  const expected = me.send_next
  if (first_seq > expected) throw SendGap({ expected })
  const kept = new Map(
    rows
      .filter(({ connection_id }) => connection_id === me.inbox.id)
      .flatMap(({ number, outcomes }) => outcomes.map((each, i) => [number + i, each] as const)),
  )
  return letters.slice(0, expected - first_seq).map(({ digest }, i): Outcome => {
    const number = first_seq + i
    const first = number >= expected - compared ? kept.get(number) : undefined
    if (first && first.digest !== digest) throw SendMismatch()
    return { status: 'duplicate', first_status: first?.outcome.status, deliveries: first?.outcome.deliveries ?? [] }
  })
}

function remember(desk: Desk, me: Draft, letters: Letter[], outcomes: Outcome[]): void {
  const number = me.send_next
  const both = letters.map(({ digest }, i) => ({ digest, outcome: outcomes[i] as store.Kept['outcome'] }))
  desk.sends.push({ connection_id: me.inbox.id, number, outcomes: both })
  me.send_next = number + letters.length
  // Now and then, for a delete costs more than a few rows that are of no use any more.
  const old = me.send_next - compared - mostSignals
  if (old > 0 && Math.floor(number / 256) !== Math.floor(me.send_next / 256)) desk.forgetSends.push([me.inbox.id, old])
}

function dispatch(desk: Desk, me: Draft, letters: Letter[]): Outcome[] {
  for (const letter of letters) {
    if (!me.inbox.may_send && isDescription(letter) && sendsMedia(letter.payload)) throw ViewerMayNotSend()
    for (const id of letter.recipients) requireSame(desk, me, id)
  }
  const stamp = stampOf(ownerOf(me.inbox))
  /** Those who have no room for more of mine. That it was so is noted only if something of this POST is stored. */
  const full = new Set<Draft>()
  const outcomes: Outcome[] = []
  for (const letter of letters) {
    const deliveries: Outcome['deliveries'] = []
    let status: Outcome['status'] = 'recipient_gone'
    for (const connection of letter.recipients) {
      const seq = deliver(desk, me, requireSame(desk, me, connection), letter, stamp, full)
      if (typeof seq === 'number') deliveries.push({ connection, seq })
      else if (status !== 'backlogged') status = seq
    }
    if (letter.type === 'offer') noteOffers(desk, me, letter, deliveries)
    outcomes.push({ status: deliveries.length > 0 ? 'queued' : status, deliveries })
  }
  if (outcomes.every(({ status }) => status !== 'queued') && outcomes.some(({ status }) => status === 'backlogged')) {
    throw Backlogged({ retry_after_s: 1 })
  }
  for (const draft of full) draft.changePair(me.inbox.id, { backlogged: true })
  return outcomes
}

const isDescription = ({ type }: Letter) => type === 'offer' || type === 'answer'

/** Of another meeting, of another tenant, or made up: it is not there. */
function requireSame(desk: Desk, me: Draft, id: string): Draft {
  const to = desk.draft(id)
  if (to?.inbox.session_id !== me.inbox.session_id) throw NotFound()
  return to
}

type Refusal = 'recipient_gone' | 'stale_ice_session' | 'backlogged'

/** The seq that it has in their inbox, or why it has none. */
function deliver(desk: Desk, me: Draft, to: Draft, letter: Letter, stamp: string, full: Set<Draft>): number | Refusal {
  if (to.inbox.closed) return 'recipient_gone'
  const { id } = me.inbox
  const pair = to.pairWith(id)
  if (isStale(pair, letter)) return 'stale_ice_session'
  const anew = startsAnew(letter.type)
  const isFull = to.shareOf(id) >= mostOfOneSender || to.unacked >= mostUnacked
  if (isFull || ((pair.backlogged || full.has(to)) && !anew)) {
    full.add(to)
    return 'backlogged'
  }
  full.delete(to)
  if (pair.backlogged) to.changePair(id, { backlogged: undefined })

  const glare = isGlare(desk, me, to, letter)
  beginIceSession(me, to, letter)
  if (letter.type === 'answer') noteAnswer(desk, me, to, letter)
  const { type, ice_session = null, text, life_ms } = letter
  const expires_at = desk.in(life_ms)
  const body = whoOf(type, stamp) + text + whenOf(glare, desk.now, expires_at)
  return to.append({ sender: id, type, ice_session, expires_at, body })
}

function noteOffers(desk: Desk, me: Draft, { life_ms }: Letter, deliveries: Outcome['deliveries']): void {
  const group = deliveries.map(({ connection }) => connection)
  for (const id of group) noteOffer(me, requireSame(desk, me, id), desk.in(life_ms), group)
}
