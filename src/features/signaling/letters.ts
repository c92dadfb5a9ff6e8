import { hash } from 'node:crypto'
import type { Db } from '../../db/transaction.ts'
import { type FieldError, Invalid, NotFound } from '../../kernel/problem.ts'
import type { Inbox } from './inbox.ts'
import { longestLife_ms, type OutgoingSignal, type Send } from './schema.ts'
import type { Letter } from './send.ts'
import * as store from './store.ts'
import { whatOf } from './telling.ts'

/** What a POST asks to send, checked and addressed, before any inbox is touched. */

const KIB = 1024
const most = {
  offer: { bytes: 128 * KIB, life_ms: longestLife_ms.sdp },
  answer: { bytes: 128 * KIB, life_ms: longestLife_ms.sdp },
  renegotiate: { bytes: 4 * KIB, life_ms: longestLife_ms.sdp },
  candidate: { bytes: 4 * KIB, life_ms: longestLife_ms.candidate },
  candidates: { bytes: 64 * KIB, life_ms: longestLife_ms.candidate },
  end_of_candidates: { bytes: 4 * KIB, life_ms: longestLife_ms.candidate },
  bye: { bytes: 4 * KIB, life_ms: longestLife_ms.bye },
}
const custom = { bytes: 64 * KIB, life_ms: longestLife_ms.custom }

export async function lettersOf(db: Db, me: Inbox, send: Send): Promise<Letter[]> {
  const faults: FieldError[] = []
  const letters: Letter[] = []
  const { signals = [send as OutgoingSignal] } = send
  for (const signal of signals) {
    const at = send.signals ? `signals.${letters.length}.` : ''
    letters.push(
      letterOf(me, signal, send.first_seq !== undefined, (path, message) => {
        faults.push({ path: at + path, message })
      }),
    )
  }
  if (faults.length > 0) throw Invalid({ errors: faults })
  await address(db, me, signals, letters)
  return letters
}

function letterOf(
  me: Inbox,
  signal: OutgoingSignal,
  numbered: boolean,
  blame: (path: string, message: string) => void,
): Letter {
  const { to, type, payload, negotiation_id, ice_session, ttl_ms } = signal
  const limits = most[type as keyof typeof most] ?? custom
  if (payload === undefined) blame('payload', 'is required; null is a payload, too')
  const text = JSON.stringify(payload ?? null)
  if (isLonger(text, limits.bytes)) blame('payload', `must be at most ${limits.bytes} bytes as JSON`)
  let named = 0
  for (const _ in to) named++
  if (named !== 1) blame('to', 'must name one of connection, participant, user')
  if (to.connection === me.id) blame('to.connection', 'is your own connection')
  return {
    type,
    payload,
    text: whatOf(text, negotiation_id, ice_session),
    negotiation_id,
    ice_session,
    life_ms: Math.min(ttl_ms ?? limits.life_ms, limits.life_ms),
    digest: numbered ? digestOf(signal, text) : '',
    recipients: to.connection === undefined ? [] : [to.connection],
  }
}

/** A character is three bytes at most, so that most need not be counted. */
const isLonger = (text: string, bytes: number) => text.length * 3 > bytes && Buffer.byteLength(text) > bytes

const digestOf = (
  { to, type, negotiation_id, ice_session, ttl_ms }: Omit<OutgoingSignal, 'payload'>,
  text: string,
): string =>
  hash('sha256', JSON.stringify([to, type, negotiation_id, ice_session, ttl_ms]) + text, 'base64url').slice(0, 22)

/** Of a person: each of their open connections, but for one's own. Whoever has never been in this session is not there. */
async function address(db: Db, me: Inbox, signals: OutgoingSignal[], letters: Letter[]): Promise<void> {
  const found = new Map<string, string[]>()
  for (const [i, letter] of letters.entries()) {
    const { connection, participant, user = '' } = (signals[i] as OutgoingSignal).to
    if (connection !== undefined) continue
    const person = participant === undefined ? { user_id: user } : { participant_id: participant }
    const key = participant ?? user
    const ids = found.get(key) ?? (await store.listOf(db, me.session_id, person))
    found.set(key, ids)
    if (ids.length === 0) throw NotFound()
    letter.recipients = ids.filter(id => id !== me.id)
  }
}
