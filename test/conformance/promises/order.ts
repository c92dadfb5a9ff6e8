import { word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { accepted, holds, numbers, payloadsOf, refused, same, seqsOf } from '../verdict.ts'
import type { Signal } from '../wire.ts'

/** Each inbox counts by itself, without a hole; what a sender has said is read in the order in which it was said. */
export const order: Promises = {
  async 'the cursor is dense: 1, 2, 3, … in each inbox'({ enter }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    const sent = await Promise.all(
      numbers(1, 12).map(number => (number % 2 ? ada : cleo).tell(ben, 'a', 'burst', 'of', 'four')),
    )
    const given = sent.flat().flatMap(({ deliveries }) => deliveries.map(({ seq }) => seq))
    same(
      given.sort((a, b) => a - b),
      numbers(1, 48),
      'the numbers that the senders were told',
    )
    same(seqsOf(await ben.gather(48)), numbers(1, 48), 'the numbers that Ben reads')
    const [toCleo] = await ada.tell(cleo, 'in another inbox')
    same(toCleo?.deliveries, [{ connection: cleo.connection, seq: 2 }], 'what follows on the arrival of Ben')
  },

  async 'what one connection sends another arrives in the order in which it was sent'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const texts = numbers(1, 60).map(String)
    for (let i = 0; i < texts.length; i += 2) await ada.tell(ben, ...texts.slice(i, i + 2))
    same(payloadsOf(await ben.gather(60)), texts, 'what Ben reads')
  },

  async 'numbered signals keep their order, however their POSTs race'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')

    /** Who is told of a gap waits until what belongs there has been sent, and then says the same again. */
    async function send(first: number): Promise<void> {
      const signals = numbers(first, first + 19).map(number => word(ben, `${number}`))
      for (;;) {
        const reply = await ada.trySend({ first_seq: first, signals })
        if (reply.status === 200) return
        const { expected = 0 } = refused(reply, 409, 'send_gap')
        holds(expected < first, `${first} is refused, though ${expected} is expected`)
      }
    }
    await Promise.all([send(41), send(1), send(21)])
    same(payloadsOf(await ben.gather(60)), numbers(1, 60).map(String), 'what Ben reads')
  },

  async 'once a seq has been read, no smaller one appears: many senders, and a reader who acknowledges at once'({
    enter,
  }) {
    const [ada, tablet, cleo, phone, ben] = await enter('ada', 'ada', 'cleo', 'cleo', 'ben')

    async function send(from: typeof ada, first: number): Promise<void> {
      for (const number of numbers(first, first + 9)) await from.tell(ben, `${from.connection} ${number}`)
    }
    const sending = [ada, tablet, cleo, phone].flatMap(from => [send(from, 1), send(from, 11), send(from, 21)])

    async function readAll(): Promise<Signal[]> {
      const got: Signal[] = []
      for (let ack = 0; got.length < 120; ) {
        const page = await ben.read({ ack, wait: 3 })
        holds(page.signals.length > 0, `after ${got.length} of 120 signals there is nothing more`)
        got.push(...page.signals)
        ack = page.cursor
      }
      return got
    }
    const [got] = await Promise.all([readAll(), ...sending])
    same(seqsOf(got), numbers(1, 120), 'the numbers, as they were read')
    same(new Set(payloadsOf(got)).size, 120, 'different signals')
  },

  async 'a batch that is acknowledged is followed by the next number, not by the first'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two')
    await ben.gather(2)
    await ben.ack(2)
    const [third] = await ada.tell(ben, 'three')
    same(third?.deliveries, [{ connection: ben.connection, seq: 3 }], 'the number of the third')
    accepted(await ben.tryAck({ up_to: 3 }))
  },
}
