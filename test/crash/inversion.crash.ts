import { expect, it } from 'vitest'
import type { z } from 'zod'
import type { Inbox, Sent } from '../../src/features/signaling/schema.ts'
import { startPair } from './pair.ts'
import { meetAt, wireTo } from './two-apart.ts'
import { createWire, type Person, type Wire } from './wire.ts'

const people = 8
const senders = 32
const each = 60

it(`what ${senders} send over two processes is all read, in one order, by somebody who acknowledges at once`, async context => {
  const { nodes, output } = await startPair(context)
  await nodes[1].start()
  const anyNode = () => nodes[Math.random() < 0.5 ? 0 : 1]
  const wire = createWire({ originOf: () => anyNode().origin, again: [429], when: output })

  const reader = await wire.enter('inversion', 'Reader')
  const others = await Promise.all(Array.from({ length: people - 1 }, (_, i) => wire.enter('inversion', `Sender ${i}`)))
  const devices: Person[] = [...others]
  for (let i = 0; devices.length < senders; i++) {
    devices.push(await wire.enter('inversion', 'Sender', others[i % others.length] as Person))
  }

  const sent = new Map<number, string>()
  let sending = senders
  async function send({ token, connection }: Person): Promise<void> {
    for (let first_seq = 1; first_seq <= each; ) {
      const payload = `${connection} ${first_seq}`
      const signal = { to: { connection: reader.connection }, type: 'custom.inversion', payload }
      const answer = await wire.ask<Sent>(token, '/rtc/signals', { connection, first_seq, ...signal })
      if (!answer) continue // the reader has too much of it unread
      const { status, deliveries } = answer.results[0] ?? {}
      if (status !== 'queued' || !deliveries?.[0]) throw new Error(`${payload}: ${JSON.stringify(answer)}`)
      const { seq } = deliveries[0]
      if (sent.has(seq)) throw new Error(`${payload} and ${sent.get(seq)} were both given ${seq}`)
      sent.set(seq, payload)
      first_seq++
    }
    sending--
  }

  const received = new Map<number, string>()
  let acked = 0
  async function read(after: number): Promise<void> {
    const query = `connection=${reader.connection}&after=${after}&limit=${1 + Math.floor(Math.random() * 100)}&wait=0.5`
    const page = await wire.ask<z.infer<typeof Inbox>>(reader.token, `/rtc/inbox?${query}`)
    for (const { seq, type, payload } of page?.signals ?? []) {
      if (seq <= acked) throw new Error(`${seq} appears after ${acked} was acknowledged: ${payload}`)
      if (type !== 'custom.inversion') continue
      received.set(seq, String(payload))
    }
    if (!page || page.cursor === acked) return
    const ack = { connection: reader.connection, up_to: page.cursor }
    await wire.ask(reader.token, '/rtc/ack', ack)
    acked = page.cursor
  }
  async function readOn(): Promise<void> {
    while (sending > 0 || received.size < senders * each) {
      await read(acked)
      if (Math.random() < 0.2) await read(0)
    }
  }
  await Promise.all([readOn(), ...devices.map(send)])

  const inOrder = (all: Map<number, string>) => [...all].sort(([a], [b]) => a - b)
  expect(inOrder(received)).toEqual(inOrder(sent))
  expect(received.size).toBe(senders * each)
  expect([...received.keys()], 'a seq came after one that is above it').toEqual(inOrder(received).map(([seq]) => seq))
  console.log(
    `${senders} senders over two processes: ${received.size} signals, ${wire.counts.again} times asked to wait`,
  )
})

it('what is acknowledged at one node is not delivered again by the other', async context => {
  const { nodes } = await startPair(context)
  const [here, there] = nodes.map(wireTo) as [Wire, Wire]
  await nodes[1].start()
  const { send, read, ack } = await meetAt(here)
  const again: (number | undefined)[] = []
  for (let i = 0; i < 50; i++) {
    await send(there)
    const page = await read(here, 'after=0&wait=5')
    const up_to = page?.cursor ?? 0
    await ack(there, up_to)
    const later = await read(here, 'after=0')
    again.push(...(later?.signals.map(({ seq }) => seq).filter(seq => seq <= up_to) ?? []))
  }
  expect(again).toEqual([])
})
