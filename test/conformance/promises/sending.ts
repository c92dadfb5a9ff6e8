import { word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { accepted, contentOf, matches, payloadsOf, refused, same } from '../verdict.ts'

/** A 200 means stored. Who is not sure whether it was says the same again, with the same numbers. */
export const sending: Promises = {
  async 'the same first_seq is one copy: sent again before delivery, after it, and after the ack'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const sending = { first_seq: 1, signals: [word(ben, 'one'), word(ben, 'two')] }
    const first = accepted(await ada.trySend(sending)).results
    const deliveries = (seq: number) => [{ connection: ben.connection, seq }]
    const queued = [1, 2].map(seq => ({ status: 'queued', deliveries: deliveries(seq) }))
    same(first, queued, 'the answer to the first')

    const again = async (when: string) => {
      const repeated = queued.map(({ status, ...rest }) => ({ status: 'duplicate', first_status: status, ...rest }))
      matches(accepted(await ada.trySend(sending)).results, repeated, `the answer to the same ${when}`)
    }
    await again('before delivery')
    same(payloadsOf(await ben.gather(2)), ['one', 'two'], 'what Ben reads')
    await again('after delivery')
    await ben.ack(2)
    await again('after the ack')
    accepted(await ada.trySend({ first_seq: 3, signals: [word(ben, 'three')] }))
    matches(await ben.gather(1), [{ seq: 3, payload: 'three' }], 'what Ben reads after the ack')
  },

  async 'a repetition that has more in it adds just that'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const words = (...texts: string[]) => texts.map(text => word(ben, text))
    accepted(await ada.trySend({ first_seq: 1, signals: words('one', 'two', 'three') }))
    const more = { first_seq: 2, signals: words('two', 'three', 'four') }
    const { results } = accepted(await ada.trySend(more))
    same(
      results.map(({ status }) => status),
      ['duplicate', 'duplicate', 'queued'],
      'what becomes of 2, 3 and 4',
    )
    same(payloadsOf(await ben.gather(4)), ['one', 'two', 'three', 'four'], 'what Ben reads')
  },

  async 'the same numbers on many sockets at once are one copy'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const sending = { first_seq: 1, signals: [word(ben, 'one'), word(ben, 'two')] }
    const replies = await Promise.all(Array.from({ length: 8 }, () => ada.trySend(sending)))
    const statuses = replies.map(reply => accepted(reply).results[0]?.status)
    same(
      statuses.filter(status => status !== 'duplicate'),
      ['queued'],
      'those that were not duplicates',
    )
    await ada.tell(ben, 'three')
    same(payloadsOf(await ben.gather(3)), ['one', 'two', 'three'], 'what Ben reads')
  },

  async 'a number that would leave a hole is refused, with the number expected: 409 send_gap'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const third = { first_seq: 3, signals: [word(ben, 'three')] }
    refused(await ada.trySend(third), 409, 'send_gap', { expected: 1 })
    accepted(await ada.trySend({ first_seq: 1, signals: [word(ben, 'one'), word(ben, 'two')] }))
    accepted(await ada.trySend(third))
    same(payloadsOf(await ben.gather(3)), ['one', 'two', 'three'], 'what Ben reads')
  },

  async 'a known number with another content is refused: 422 idempotency_mismatch'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    accepted(await ada.trySend({ first_seq: 1, signals: [word(ben, 'one')] }))
    refused(await ada.trySend({ first_seq: 1, signals: [word(ben, 'other')] }), 422, 'idempotency_mismatch')
    await ben.gather(1)
    await ben.ack(1)
    refused(await ada.trySend({ first_seq: 1, signals: [word(ben, 'other')] }), 422, 'idempotency_mismatch')
    accepted(await ada.trySend({ first_seq: 2, signals: [word(ben, 'two')] }))
    same(payloadsOf(await ben.gather(1)), ['two'], 'what Ben reads')
  },

  async 'what is sent without a number does not count'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    accepted(await ada.trySend({ first_seq: 1, signals: [word(ben, 'one')] }))
    await ada.tell(ben, 'two', 'two')
    accepted(await ada.trySend({ first_seq: 2, signals: [word(ben, 'three')] }))
    same(payloadsOf(await ben.gather(4)), ['one', 'two', 'two', 'three'], 'what Ben reads')
  },

  async 'one signal may be sent bare'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const { results } = accepted(await ada.trySend(word(ben, 'bare')))
    matches(results, [{ status: 'queued', deliveries: [{ connection: ben.connection, seq: 1 }] }], 'the answer')
    same(payloadsOf(await ben.gather(1)), ['bare'], 'what Ben reads')
  },

  async 'a signal is passed on as it came, with the sender stamped on it'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const sent = [
      { type: 'offer', payload: { type: 'offer', sdp: 'v=0\r\n' }, negotiation_id: 'n1', ice_session: 'ufrag' },
      { type: 'candidate', payload: { candidate: 'candidate:1 1 udp 1 9b36.local 5 typ host' }, ice_session: 'ufrag' },
      { type: 'candidate', payload: { candidate: '', sdpMid: null } },
      { type: 'end_of_candidates', payload: null },
      { type: 'custom.deep', payload: { 'Zoë 🙂': [1, 2.5, -0.001, true, null, { '': 'a "quoted" \\ line\n' }] } },
    ]
    await ada.send(...sent.map(each => ({ to: ben.address, ...each })))
    const from = { connection: ada.connection, participant: ada.participant, user: ada.user }
    const got = await ben.gather(sent.length)
    const expected = sent.map(each => ({ negotiation_id: null, ice_session: null, ...each, from, glare: false }))
    matches(contentOf(got), expected, 'what Ben reads')
  },

  async 'what is too large or too many is refused, and nothing of its POST is stored'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const fine = word(ben, 'fine')
    const sized = (type: string, size: number) => ({ to: ben.address, type, payload: 'x'.repeat(size) })
    refused(await ada.trySend({ signals: Array(65).fill(fine) }), 422)
    refused(await ada.trySend({ signals: [fine, sized('offer', 128 * 1024)] }), 422)
    refused(await ada.trySend({ signals: [fine, sized('candidate', 4 * 1024)] }), 422)
    refused(await ada.trySend({ signals: [fine, { ...fine, type: 'peer_joined' }] }), 422)
    await ada.send({ ...sized('offer', 128 * 1024 - 2) }) // with its quotes it is just as large as it may be
    const [first] = await ben.gather(1)
    matches(first, { seq: 1, type: 'offer' }, 'the first that Ben reads')
  },

  async 'a member that nobody knows is refused, so that a typo is not lost in silence'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const typo = { signals: [{ ...word(ben, 'one'), ttl: 100 }] }
    refused(await ada.post('/api/rtc/signals', typo), 422, 'invalid')
    same((await ben.read({ wait: 0 })).signals, [], 'what Ben reads')
  },
}
