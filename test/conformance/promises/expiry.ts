import { word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { begun } from '../time.ts'
import { matches, payloadsOf, same } from '../verdict.ts'

/** A signal that nobody fetched in time is of no use any more, and everybody concerned is told so. */

/** The shortest life that can be asked for, and enough to outlast it. */
const shortest_ms = 100
const outlasting_ms = 300

export const expiry: Promises = {
  async 'what expired is told as a gap, which can be acknowledged across'({ enter, pass }) {
    const [ada, ben] = await enter('ada', 'ben')
    const brief = { ...word(ben, 'brief'), ttl_ms: shortest_ms }
    await ada.send(brief, brief, word(ben, 'lasting'))
    await pass(outlasting_ms)
    const page = await ben.read({ wait: 1 })
    const gap = { from_seq: 1, to_seq: 2, reason: 'expired' }
    matches(page, { gap, signals: [{ seq: 3, payload: 'lasting' }], cursor: 3 }, 'what Ben reads')
    matches(await ben.ack(3), { acked_through: 3 }, 'the ack across the gap')
    matches(await ben.read(), { gap: null, signals: [], cursor: 3 }, 'what is left')
  },

  async 'a poll that is held is not disturbed by what expired before it, but told of it'({ enter, pass }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.send({ ...word(ben, 'brief'), ttl_ms: shortest_ms })
    await pass(outlasting_ms)
    const page = await ben.read({ wait: 5 })
    matches(page, { gap: { from_seq: 1, to_seq: 1, reason: 'expired' }, signals: [], cursor: 1 }, 'what Ben reads')
    const poll = begun(ben.gather(1, 1))
    await ada.tell(ben, 'later')
    same(payloadsOf(await poll), ['later'], 'what comes after the gap')
  },

  async 'the sender of what expired is told, once: undelivered, with the numbers'({ enter, pass }) {
    const [ada, ben] = await enter('ada', 'ben')
    const brief = { ...word(ben, 'brief'), ttl_ms: 1_000 }
    await ada.send(brief, brief, brief)
    await ben.gather(3)
    await ben.ack(1)
    await pass(1_300)
    const isTold = ({ type }: { type: string }) => type === 'undelivered'
    const seen = await ada.readUntil('undelivered', ({ signals }) => signals.some(isTold), { within_ms: 10_000 })
    const payload = { connection: ben.connection, reason: 'expired', seqs: [2, 3] }
    matches(seen.signals.filter(isTold), [{ payload }], 'what Ada is told')
  },

  async 'each type lives as long as it is good for, or shorter where the sender says so'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const lives_s = { offer: 60, answer: 60, candidate: 45, end_of_candidates: 45, bye: 120, 'custom.word': 300 }
    const types = Object.keys(lives_s)
    await ada.send(...types.map(type => ({ to: ben.address, type, payload: null })))
    await ada.send({ ...word(ben, 'brief'), ttl_ms: 7_000 })
    const lives = (await ben.gather(types.length + 1)).map(
      ({ type, sent_at, expires_at }) => `${type} ${(Date.parse(expires_at ?? '') - Date.parse(sent_at)) / 1000}`,
    )
    same(lives, [...Object.entries(lives_s).map(each => each.join(' ')), 'custom.word 7'], 'their lives, in seconds')
  },
}
