import { createReader } from './reader.ts'
import { createSender } from './sender.ts'
import type { Wire } from './wire.ts'

/** Several who send to several who read, all at once and without a pause, whatever becomes of the server. */
export type Crowd = Awaited<ReturnType<typeof gather>>

const howMany = { senders: 5, readers: 3 }

export async function gather(wire: Wire) {
  const enter = (name: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => wire.enter('crash', `${name} ${i + 1}`)))
  const readers = (await enter('Reader', howMany.readers)).map(me => createReader(wire, me))
  const senders = (await enter('Sender', howMany.senders)).map(me => createSender(wire, me, readers))

  let over = false
  const sending = Promise.all(senders.map(sender => sender.run(() => over)))
  let sent = false
  const reading = Promise.all(readers.map(reader => reader.run(() => sent)))
  const all = Promise.all([sending, reading])
  all.catch(() => {
    over = true // the others end, too
    sent = true
  })

  return {
    /** What is done to the server meanwhile. It is not gone on with once a promise is found broken. */
    async meanwhile(work: () => Promise<void>): Promise<void> {
      await Promise.race([work(), all])
    },

    /** Until nobody has anything more to send, to read or to acknowledge. */
    async finish(): Promise<void> {
      over = true
      await sending
      sent = true
      await all
      for (const reader of readers) await reader.finish()
    },

    /** Everything is acknowledged, and stays so; nor does it come back when it is sent again. */
    async expectNothing(): Promise<void> {
      for (const reader of readers) await reader.expectNothing()
      for (const sender of senders) await sender.repeat(50)
      for (const reader of readers) await reader.expectNothing()
    },

    counts() {
      const sum = <Count extends string>(all: { counts: Record<Count, number> }[], count: Count) =>
        all.reduce((sum, { counts }) => sum + counts[count], 0)
      return {
        answered: sum(senders, 'words'),
        delivered: sum(readers, 'words'),
        acks: sum(readers, 'acks'),
        wholeReads: sum(readers, 'wholeReads'),
        /** POSTs whose first answer was lost, and those of them that had been committed. */
        retried: sum(senders, 'retried'),
        committedUnanswered: sum(senders, 'committedUnanswered'),
      }
    },
  }
}
