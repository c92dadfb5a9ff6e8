import { expect, it } from 'vitest'
import { packed } from '../../src/wakeups/postgres.ts'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'

const forEver = 60_000

it('what is rung in one moment goes into as few payloads as Postgres takes, and none is too long', () => {
  const topics = Array.from({ length: 500 }, (_, i) => `lobby par_${String(i).padStart(32, '0')}`)
  const payloads = packed('node', topics)
  expect(payloads.length).toBeLessThan(5)
  for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(8000)
  const told = payloads.map(payload => JSON.parse(payload))
  expect(told.flatMap(([node, ...some]) => (node === 'node' ? some : []))).toEqual(topics)
  expect(packed('node', [])).toEqual([])
})

if (engine === 'postgres') {
  it('a bell is heard on the other node, once it is rung on this one', async () => {
    const world = await createWorld()
    const there = await world.startNode()
    using bell = there.wakeups.listen('topic', new AbortController().signal)
    const waits = bell.within(forEver)
    world.wakeups.notify('topic')
    expect(await waits).toBe(true)
  })

  it('a node whose connection was cut wakes everybody when it listens again, and hears what is rung then', async () => {
    const world = await createWorld()
    const there = await world.startNode()
    using bell = there.wakeups.listen('topic', new AbortController().signal)
    const waits = bell.within(forEver)
    await world.db.raw(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'parley wakeups'`)
    expect(await waits, 'woken by nothing but the new connection').toBe(true)
    const again = bell.within(forEver)
    world.wakeups.notify('topic')
    expect(await again).toBe(true)
  })
}
