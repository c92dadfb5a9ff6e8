import type { Promises } from '../suite.ts'
import { accepted, matches, payloadsOf, refused, same, seqsOf } from '../verdict.ts'

/** The one way to be rid of a signal is to say that it has been used. */
export const acknowledging: Promises = {
  async 'fetching is not acknowledging: a cursor says where to read, not what may go'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    await ben.gather(3)
    const last = await ben.read({ after: 2 })
    matches(last, { signals: [{ seq: 3 }], acked_through: 0, pending: 3 }, 'the inbox, after a read from 2 on')
    const all = await ben.read()
    same(payloadsOf(all.signals), ['one', 'two', 'three'], 'what is there from the beginning')
    same(all.acked_through, 0, 'acked_through, without an acknowledgement')
  },

  async 'an acknowledgement is cumulative, and what is acknowledged is not delivered again'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    await ben.gather(3)
    same(await ben.ack(2), { acknowledged: 2, acked_through: 2 }, 'the answer')
    matches(await ben.read(), { signals: [{ seq: 3 }], acked_through: 2, pending: 1 }, 'what is left')
  },

  async 'a signal can be acknowledged ahead of others; the floor follows when it can'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three', 'four', 'five')
    await ben.gather(5)
    same(accepted(await ben.tryAck({ seqs: [2, 4] })), { acknowledged: 2, acked_through: 0 }, 'the answer for 2 and 4')
    const left = await ben.read()
    same(seqsOf(left.signals), [1, 3, 5], 'what is left')
    same(left.gap, null, 'a gap, where nothing was lost')
    same(accepted(await ben.tryAck({ seqs: [1] })), { acknowledged: 1, acked_through: 2 }, 'the answer for 1')
    same(await ben.ack(3), { acknowledged: 1, acked_through: 4 }, 'the answer for all up to 3')
    matches(await ben.read(), { signals: [{ seq: 5 }], acked_through: 4, pending: 1 }, 'what is left at last')
  },

  async 'to acknowledge twice, or less than before, changes nothing'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three', 'four')
    await ben.gather(4)
    same(await ben.ack(3), { acknowledged: 3, acked_through: 3 }, 'the first time')
    same(await ben.ack(3), { acknowledged: 0, acked_through: 3 }, 'the second time')
    same(await ben.ack(1), { acknowledged: 0, acked_through: 3 }, 'backwards')
    same(accepted(await ben.tryAck({ seqs: [2] })), { acknowledged: 0, acked_through: 3 }, 'one of them')
    same(seqsOf((await ben.read()).signals), [4], 'what is left')
  },

  async 'what is not there yet cannot be acknowledged: 409 ack_ahead, and nothing changes'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two')
    await ben.gather(2)
    refused(await ben.tryAck({ up_to: 3 }), 409, 'ack_ahead')
    refused(await ben.tryAck({ seqs: [1, 7] }), 409, 'ack_ahead')
    refused(await ben.poll({ ack: 3 }), 409, 'ack_ahead')
    await ada.tell(ben, 'three')
    same(payloadsOf(await ben.gather(3)), ['one', 'two', 'three'], 'what is left')
  },

  async 'a poll carries an acknowledgement: it holds before the poll is answered'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    await ben.gather(3)
    matches(await ben.read({ ack: 2 }), { signals: [{ seq: 3 }], acked_through: 2, pending: 1 }, 'the answer')
    same(await ben.ack(2), { acknowledged: 0, acked_through: 2 }, 'the same by POST')
  },
}
