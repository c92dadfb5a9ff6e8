import type { Outcome, Outgoing, Signal } from '../wire.ts'
import type { Fault } from './inbox.ts'
import type { Connection, Meeting } from './meeting.ts'
import { backlogged, invalid, notFound, sendGap, sendMismatch } from './refusal.ts'

/** What the small relay does with one POST of signals. It is never interrupted, and so needs no locks. */

const share = 200
const life_s: { [type: string]: number } = { offer: 60, answer: 60, renegotiate: 60, bye: 120 }
const ofNegotiations = /^(offer|answer|candidates?|end_of_candidates)$/
const isCandidate = (type: string) => /^(candidates?|end_of_candidates)$/.test(type)
const isAnew = (type: string) => /^(offer|renegotiate)$/.test(type)

export function send(meeting: Meeting, me: Connection, { first_seq, signals }: Sending, fault: Fault): Outcome[] {
  if (signals.length > 64 || !signals.every(isValid)) throw invalid()
  const recipients = signals.map(({ to }) => recipientsOf(meeting, me, to))
  const repeated = first_seq === undefined ? [] : repeatedOf(me, first_seq, signals, recipients, fault)
  const fresh = signals.slice(repeated.length)
  const full = new Set<Connection>()
  const outcomes = fresh.map((signal, i) => {
    const number = first_seq === undefined ? undefined : first_seq + repeated.length + i
    return deliver(me, signal, number, recipients[repeated.length + i] ?? [], full, fault)
  })
  const nothing = !outcomes.some(({ status }) => status === 'queued')
  if (nothing && outcomes.some(({ status }) => status === 'backlogged')) throw backlogged()
  for (const to of full) to.pairWith(me).backlogged = true
  if (first_seq !== undefined) {
    fresh.forEach((signal, i) => {
      me.sends.set(first_seq + repeated.length + i, { digest: JSON.stringify(signal), outcome: outcomes[i] as Outcome })
    })
    me.send_next = Math.max(me.send_next, first_seq + signals.length)
  }
  return [...repeated, ...outcomes]
}

export interface Sending {
  first_seq?: number
  signals: Outgoing[]
}

function isValid({
  to,
  type,
  payload,
  negotiation_id: _,
  ice_session: __,
  ttl_ms: ___,
  ...unknown
}: Outgoing): boolean {
  const most = /^(offer|answer)$/.test(type) ? 128 : /^(custom\.[\w.-]+|candidates)$/.test(type) ? 64 : 4
  const known = ofNegotiations.test(type) || /^(renegotiate|bye|custom\.[\w.-]+)$/.test(type)
  const fits = JSON.stringify(payload ?? null).length <= most * 1024
  return known && fits && Object.keys(to).length === 1 && Object.keys(unknown).length === 0
}

function recipientsOf({ connections }: Meeting, me: Connection, to: Outgoing['to']): Connection[] {
  const [kind, id] = Object.entries(to)[0] ?? []
  const meant = [...connections.values()].filter(
    ({ inbox }) => kind !== undefined && inbox.owner[kind as keyof typeof inbox.owner] === id,
  )
  if (meant.length === 0) throw notFound()
  return meant.filter(each => each !== me)
}

/** What is known already is answered as the first time, and changes nothing. */
function repeatedOf(me: Connection, first: number, signals: Outgoing[], to: Connection[][], fault: Fault): Outcome[] {
  if (first > me.send_next) throw sendGap(me.send_next)
  const repeated: Outcome[] = []
  for (const [i, signal] of signals.entries()) {
    const known = me.sends.get(first + i)
    if (!known) break
    if (known.digest !== JSON.stringify(signal)) throw sendMismatch()
    const isForgotten = !to[i]?.some(({ inbox }) => inbox.knows(me.id, first + i))
    if (fault === 'forgotten-first_seq' && isForgotten) break
    repeated.push({ status: 'duplicate', first_status: known.outcome.status, deliveries: known.outcome.deliveries })
  }
  return repeated
}

function deliver(
  me: Connection,
  signal: Outgoing,
  number: number | undefined,
  recipients: Connection[],
  full: Set<Connection>,
  fault: Fault,
): Outcome {
  const outcomes = recipients.map(to => put(me, to, signal, number, full, fault))
  const deliveries = recipients.flatMap(({ id }, i) => {
    const seq = outcomes[i]
    return typeof seq === 'number' ? [{ connection: id, seq }] : []
  })
  if (signal.type === 'offer') {
    for (const to of recipients) to.pairWith(me).ringing = recipients.filter(other => other !== to)
  }
  const status = deliveries.length > 0 ? 'queued' : `${outcomes[0] ?? 'recipient_gone'}`
  return { status, deliveries }
}

/** The seq that it has there, or why it has none. */
function put(
  me: Connection,
  to: Connection,
  { type, payload, ttl_ms = Number.POSITIVE_INFINITY, ...rest }: Outgoing,
  number: number | undefined,
  full: Set<Connection>,
  fault: Fault,
): number | string {
  if (to.inbox.closed) return 'recipient_gone'
  const { negotiation_id = null, ice_session = null } = rest
  const pair = to.pairWith(me)
  if (ice_session !== null && isCandidate(type) && pair.past.has(ice_session)) return 'stale_ice_session'
  if (to.inbox.shareOf(me.id) >= share && fault === 'eviction') to.inbox.evict(me.id)
  if (to.inbox.shareOf(me.id) >= share || ((pair.backlogged || full.has(to)) && !isAnew(type))) {
    full.add(to)
    return 'backlogged'
  }
  pair.backlogged = false
  if (ice_session !== null && ice_session !== pair.ice && ofNegotiations.test(type)) {
    if (pair.ice !== undefined) pair.past.add(pair.ice)
    pair.ice = ice_session
    const isOld = (old: Omit<Signal, 'seq' | 'deliveries'>) =>
      old.from?.connection === me.id && isCandidate(old.type) && old.ice_session !== ice_session
    to.inbox.withdraw('stale_ice_session', isOld)
  }
  const glare = type === 'offer' && me.pairWith(to).isOffering
  if (type === 'offer') pair.isOffering = true
  if (type === 'answer') noteAnswer(me, to)
  const life_ms = Math.min(ttl_ms, (type.startsWith('custom.') ? 300 : (life_s[type] ?? 45)) * 1000)
  const now = Date.now()
  const [sent_at, expires_at] = [now, now + life_ms].map(ms => new Date(ms).toISOString()) as [string, string]
  const signal = { type, from: me.inbox.owner, payload, negotiation_id, ice_session, glare, sent_at, expires_at }
  return to.inbox.append({ signal, life_ms, number })
}

function noteAnswer(me: Connection, to: Connection): void {
  const mine = me.pairWith(to)
  for (const other of mine.ringing) {
    other.tell('answered_elsewhere', { connection: to.id, answered_by: me.id })
    other.pairWith(to).isOffering = false
  }
  mine.ringing = []
  mine.isOffering = false
}
