import { word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { accepted, holds, matches, payloadsOf, refused, same } from '../verdict.ts'

/** After a lost network one goes on where one was, with the same connection. */
export const resuming: Promises = {
  async 'a resume tells who is inside and where to read on, and the inbox goes on'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    await ben.gather(3)
    await ben.ack(1)
    const resumed = accepted(await ben.resume(ben.joined.connection.resume_token, 2))
    const roster = [{ connection: ada.connection, participant: ada.participant, polite: true }]
    const inbox = { cursor: 2, acked_through: 1, pending: 2 }
    matches(resumed, { connection: { id: ben.connection }, roster, inbox, gaps: [] }, 'the answer')
    same(payloadsOf(await ben.gather(1, resumed.inbox.cursor)), ['three'], 'what is read next')
  },

  async 'a resume gives a new token; the old one is dead once the new one is used'({ enter }) {
    const [ben] = await enter('ben')
    const first = ben.joined.connection.resume_token
    const second = accepted(await ben.resume(first, 0)).connection.resume_token
    const third = accepted(await ben.resume(second, 0)).connection.resume_token
    holds(first !== second && second !== third, 'the token that is given is not new')
    refused(await ben.resume(first, 0), 404)
    accepted(await ben.resume(third, 0))
  },

  async 'a resume whose answer was lost can be repeated with the same token'({ enter }) {
    const [ben] = await enter('ben')
    const token = ben.joined.connection.resume_token
    accepted(await ben.resume(token, 0))
    accepted(await ben.resume(token, 0))
  },

  async 'the public id of a connection does not open it'({ enter }) {
    const [ben] = await enter('ben')
    refused(await ben.resume(ben.connection, 0), 404)
    refused(await ben.resume('', 0), 404)
  },

  async 'a resume tells what was taken back of what had not been read'({ enter, pass }) {
    const [ada, ben] = await enter('ada', 'ben')
    const brief = { ...word(ben, 'brief'), ttl_ms: 100 }
    await ada.send(word(ben, 'one'), brief, brief, word(ben, 'four'))
    await pass(300)
    const resumed = accepted(await ben.resume(ben.joined.connection.resume_token, 1))
    same(resumed.gaps, [{ from_seq: 2, to_seq: 3, reason: 'expired' }], 'the gaps')
  },

  async 'a cursor from beyond the end is brought back to where the inbox is'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two')
    const { inbox } = accepted(await ben.resume(ben.joined.connection.resume_token, 40))
    same(inbox.cursor, 2, 'the cursor')
  },
}
