import { call } from '../http.ts'
import { type Inside, word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { begun, sleep } from '../time.ts'
import { accepted, holds, matches, payloadsOf, refused, same } from '../verdict.ts'
import type { Page } from '../wire.ts'

/** Who is not inside hears nothing and is not heard; what is not theirs does not exist for them. */

const madeUp = ({ connection }: Inside) => ({ address: { connection: connection.replace(/.{6}$/, '000000') } })

export const walls: Promises = {
  async 'an unknown recipient is 404 for the whole POST, and nothing of it is stored'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const signals = [word(ben, 'before'), word(madeUp(ben), 'to nobody'), word(ben, 'after')]
    refused(await ada.trySend({ first_seq: 1, signals }), 404, 'not_found')
    accepted(await ada.trySend({ first_seq: 1, signals: [word(ben, 'the first')] }))
    matches(await ben.gather(1), [{ seq: 1, payload: 'the first' }], 'what Ben reads')
  },

  async 'a connection of another meeting is as unknown as one that was made up'({ newMeeting }) {
    const [here, elsewhere] = [await newMeeting(), await newMeeting()]
    const [ada] = await here.enter('ada')
    const [cleo, ben] = await elsewhere.enter('cleo', 'ben')
    const { request_id: _, ...there } = refused(await ada.trySend(word(cleo, 'psst')), 404)
    const { request_id: __, ...nowhere } = refused(await ada.trySend(word(madeUp(cleo), 'psst')), 404)
    same(there, nowhere, 'the two answers')
    const toUser = { to: { user: ben.user }, type: 'custom.word', payload: 'psst' }
    refused(await ada.trySend(toUser), 404)
    same((await ben.read()).signals, [], 'what is read elsewhere')
  },

  async 'a forged `from` is refused or ignored: the server says who sent it'({ enter }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    const from = { connection: cleo.connection, participant: cleo.participant, user: cleo.user }
    const forged = await ada.post('/api/rtc/signals', { signals: [{ ...word(ben, 'I am Cleo'), from }] })
    holds(forged.status === 200 || forged.status === 422, `a forged signal is answered ${forged.status}`)
    await ada.tell(ben, 'I am Ada')
    const read = await ben.gather(forged.status === 200 ? 2 : 1)
    const senders = new Set(read.map(signal => signal.from?.connection))
    same([...senders], [ada.connection], 'who it is from')
  },

  async 'nobody reads, acknowledges, sends by or resumes the connection of somebody else'({ enter }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    await ada.tell(ben, 'for Ben alone')
    const { token, home } = cleo
    const { connection } = ben
    const calls = [
      ['GET', `/api/rtc/inbox?connection=${connection}`, undefined],
      ['GET', `/api/rtc/ice-servers?connection=${connection}`, undefined],
      ['POST', '/api/rtc/ack', { connection, up_to: 1 }],
      ['POST', '/api/rtc/signals', { connection, ...word(ada, 'I am Ben') }],
      ['POST', '/api/rtc/resume', { connection, resume_token: ben.joined.connection.resume_token, cursor: 0 }],
    ] as const
    for (const [method, path, body] of calls) refused(await call(home, method, path, { token, body }), 404, 'not_found')
    same(payloadsOf(await ben.gather(1)), ['for Ben alone'], 'what Ben reads')
  },

  async 'nobody is let in without a token'({ enter }) {
    const [ben] = await enter('ben')
    const { connection } = ben
    refused(await call(ben.home, 'GET', `/api/rtc/inbox?connection=${connection}`), 401)
    refused(await call(ben.home, 'POST', '/api/rtc/ack', { body: { connection, up_to: 0 } }), 401)
    refused(await call(ben.home, 'GET', `/api/rtc/inbox?connection=${connection}`, { token: connection }), 401)
  },

  async 'who left is recipient_gone: no error, and nothing is stored'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    accepted(await ben.leave())
    matches(await ada.tell(ben, 'are you there?'), [{ status: 'recipient_gone', deliveries: [] }], 'the outcome')
  },

  async 'who is invited, but not inside, neither sends nor reads: 409 not_joined'({ enter, people }) {
    const [ada] = await enter('ada')
    const { token, home } = people.cleo
    refused(await call(home, 'POST', '/api/rtc/signals', { token, body: word(ada, 'let me in') }), 409, 'not_joined')
    refused(await call(home, 'GET', '/api/rtc/inbox', { token }), 409, 'not_joined')
  },

  async 'a connection may be left unsaid by who has just one, and is never guessed: 409 connection_required'({
    enter,
  }) {
    const [ben] = await enter('ben')
    const ask = () => call<Page>(ben.home, 'GET', '/api/rtc/inbox', { token: ben.token })
    same(accepted(await ask()).signals, [], 'what is read by who has one')
    await enter('ben')
    refused(await ask(), 409, 'connection_required')
  },

  async 'a connection of my own that is closed is 410, with the reason'({ newMeeting }) {
    const meeting = await newMeeting()
    const [ada, ben, cleo] = await meeting.enter('ada', 'ben', 'cleo')
    const host = (path: string) => ada.ask('POST', `/api/meetings/${meeting.id}${path}`, { body: {} })

    async function requireClosed(who: Inside, reason: string): Promise<void> {
      for (const reply of [await who.trySend(word(ada, 'hello')), await who.tryAck({ up_to: 0 })]) {
        refused(reply, 410, 'connection_closed', { reason })
      }
    }
    accepted(await ben.leave())
    await requireClosed(ben, 'left')
    refused(await ben.poll(), 410, 'connection_closed', { reason: 'left' })
    const byCleo = `/api/rtc/inbox?connection=${ben.connection}`
    refused(await cleo.ask('GET', byCleo), 404, 'not_found') // to anybody else it does not exist
    accepted(await host(`/participants/${cleo.participant}/remove`))
    await requireClosed(cleo, 'removed')
    accepted(await host('/end'))
    await requireClosed(ada, 'meeting_ended')
  },

  async 'who is removed while a poll is held is told so within a second: 410, removed'({ newMeeting }) {
    const meeting = await newMeeting()
    const [ada, ben] = await meeting.enter('ada', 'ben')
    const poll = begun(ben.poll({ wait: 5 }))
    await sleep(100)
    const began = performance.now()
    accepted(await ada.ask('POST', `/api/meetings/${meeting.id}/participants/${ben.participant}/remove`, { body: {} }))
    refused(await poll, 410, 'connection_closed', { reason: 'removed' })
    const late = Math.round(performance.now() - began)
    holds(late < 2_000, `the poll was held for ${late} ms`)
  },
}
