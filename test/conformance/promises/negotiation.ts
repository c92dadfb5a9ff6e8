import type { Promises } from '../suite.ts'
import { matches, payloadsOf, same, seqsOf, typesOf } from '../verdict.ts'

/** What two need to know of their negotiation, without the server reading a word of it. */
export const negotiation: Promises = {
  async 'of two offers that cross, the later one carries glare'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.send({ to: ben.address, type: 'offer', payload: 'from Ada' })
    await ben.send({ to: ada.address, type: 'offer', payload: 'from Ben' })
    const [, later] = await ada.gather(2)
    matches(later, { type: 'offer', glare: true }, 'the later one')
    matches(await ben.gather(1), [{ type: 'offer', glare: false }], 'the earlier one, which is never rewritten')
  },

  async 'an offer after an answer does not carry glare'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.send({ to: ben.address, type: 'offer', payload: 'from Ada' })
    await ben.send({ to: ada.address, type: 'answer', payload: 'from Ben' })
    await ben.send({ to: ada.address, type: 'offer', payload: 'from Ben' })
    const offers = (await ada.gather(3)).filter(({ type }) => type === 'offer')
    matches(offers, [{ glare: false }], 'the second offer')
  },

  async 'a new ICE session withdraws what is unread of the old one: gap stale_ice_session'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const candidate = { to: ben.address, type: 'candidate', payload: { candidate: 'a' } }
    const old = { ...candidate, ice_session: 'old' }
    await ada.send(old, old, { to: ben.address, type: 'offer', payload: 'restart', ice_session: 'new' })
    const [late] = await ada.send(old)
    matches(late, { status: 'stale_ice_session', deliveries: [] }, 'a candidate of the old one that comes late')
    await ada.send({ ...candidate, ice_session: 'new' })
    const { gaps, signals } = await ben.readUntil('the new candidate', seen => seen.signals.length >= 2)
    same(gaps, [{ from_seq: 1, to_seq: 2, reason: 'stale_ice_session' }], 'the gap')
    same(seqsOf(signals), [3, 4], 'what is left')
  },

  async 'an ICE session of one sender does not touch the candidates of another'({ enter }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    const candidate = { to: ben.address, type: 'candidate', payload: null, ice_session: 'one' }
    await cleo.send(candidate)
    await ada.send({ ...candidate, ice_session: 'two' })
    same(seqsOf(await ben.gather(2)), [1, 2], 'what Ben reads')
  },

  async 'a signal to a person reaches each of their connections, and never the one that sent it'({ enter }) {
    const [ada, laptop, phone] = await enter('ada', 'ben', 'ben')
    const hello = { type: 'custom.word', payload: 'hello' }
    for (const to of [{ user: laptop.user }, { participant: laptop.participant }]) {
      const [outcome] = await ada.send({ ...hello, to })
      const reached = outcome?.deliveries.map(({ connection }) => connection).sort()
      same(reached, [laptop.connection, phone.connection].sort(), `who is reached by ${Object.keys(to)}`)
      const [own] = await laptop.send({ ...hello, to })
      matches(own?.deliveries, [{ connection: phone.connection }], 'who is reached from one of them')
    }
    same(payloadsOf(await phone.gather(4)), ['hello', 'hello', 'hello', 'hello'], 'what the telephone reads')
  },

  async 'the first who answers a ringing offer silences the others: answered_elsewhere'({ enter }) {
    const [ada, laptop, phone] = await enter('ada', 'ben', 'ben')
    await ada.send({ to: { user: laptop.user }, type: 'offer', payload: 'ring', negotiation_id: 'n1' })
    await phone.gather(1)
    await phone.send({ to: ada.address, type: 'answer', payload: 'here', negotiation_id: 'n1' })
    const joined = laptop.joined.inbox.cursor + 1 // the telephone came after the laptop
    same(typesOf(await laptop.gather(2, joined)), ['offer', 'answered_elsewhere'], 'what the laptop reads')
    same(typesOf((await phone.read()).signals), ['offer'], 'what the telephone reads')
    matches((await ada.gather(3)).at(-1), { type: 'answer', from: { connection: phone.connection } }, 'what Ada reads')
  },
}
