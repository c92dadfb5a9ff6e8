import { expect } from 'vitest'
import type { z } from 'zod'
import type { Inbox, Sent } from '../../src/features/signaling/schema.ts'
import type { Node } from './node.ts'
import { createWire, type Wire } from './wire.ts'

/** Somebody who sends and somebody who reads, each at whatever node they like. */
export type Apart = Awaited<ReturnType<typeof meetAt>>
export type Page = z.infer<typeof Inbox>

/** To one node, whoever calls. */
export const wireTo = ({ origin, when }: Node): Wire => createWire({ originOf: () => origin, when })

export async function meetAt(wire: Wire) {
  const [sender, reader] = [await wire.enter('apart', 'Sender'), await wire.enter('apart', 'Reader')]
  let number = 0

  const read = (wire: Wire, query: string) =>
    wire.ask<Page>(reader.token, `/rtc/inbox?connection=${reader.connection}&${query}`)

  return {
    read,

    /** Answers with the number that the reader is to read. */
    async send(wire: Wire): Promise<number> {
      const signal = { to: { connection: reader.connection }, type: 'custom.apart', payload: ++number }
      const sent = await wire.ask<Sent>(sender.token, '/rtc/signals', { connection: sender.connection, ...signal })
      expect(sent?.results).toMatchObject([{ status: 'queued' }])
      return number
    },

    ack: (wire: Wire, up_to: number) => wire.ask(reader.token, '/rtc/ack', { connection: reader.connection, up_to }),

    /** Where the inbox ends now. */
    async cursorAt(wire: Wire): Promise<number> {
      const page = await read(wire, 'after=0&limit=100')
      if (!page) throw new Error('It could not be read')
      return page.cursor
    },
  }
}

export const wordsOf = (page: Page | undefined) =>
  page?.signals.filter(({ type }) => type === 'custom.apart').map(({ payload }) => payload)

/** Resolves when a poll is held there: what happens from then on finds it waiting. */
export async function untilHeld({ origin }: Pick<Node, 'origin'>): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${origin}/metrics`)).text()
    if (/^parley_inbox_readers 1$/m.test(metrics)) return
  }
}
