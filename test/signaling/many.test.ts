import { expect, it, vi } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { whenDone } from '../support/cleanup.ts'
import { createWorld } from '../support/world.ts'
import { type Held, hold, multiply } from './many.ts'
import { metricsOf, untilHeld } from './people.ts'
import { comeIn, newRoom, word } from './room.ts'

const world = await createWorld()
const count = 5000

it('five thousand held polls use no connection to the database, and one that is sent to is answered', async () => {
  const room = newRoom()
  const ada = await comeIn(world, room, 'Ada')
  const bob = await comeIn(world, room, 'Bob')
  await bob.drain() // so that his others have nothing to read either
  const ids = await inTransaction(world.db, db => multiply(db, bob.connection, count))
  const polls: Held[] = []
  whenDone(() => {
    for (const { socket } of polls) socket.destroy()
  })
  for (let i = 0; i < count; i += 500) {
    for (const id of ids.slice(i, i + 500)) polls.push(hold(world.origin, bob.token, id))
    await untilHeld(world, polls.length)
  }

  // It is looked at when nothing else is done: who was heard of is written now and then.
  await vi.waitFor(
    async () => {
      const { parley_db_connections_used, parley_db_connections_waited_for } = await metricsOf(world.anyone)
      expect([parley_db_connections_used, parley_db_connections_waited_for]).toEqual([0, 0])
    },
    { timeout: 10_000, interval: 20 },
  )
  const carl = await comeIn(world, newRoom(), 'Carl')
  expect(carl.roster, 'others get through meanwhile').toEqual([])

  const some = [0, 1, 2500, 4998, 4999]
  const sent = await ada.send({ signals: some.map(i => word({ connection: ids[i] ?? '' }, i)) })
  expect(sent.status).toBe(200)
  for (const i of some) {
    expect(await polls[i]?.answer).toMatchObject({ status: 200, body: { signals: [{ payload: i }] } })
  }
  await untilHeld(world, count - some.length)

  for (const { socket } of polls) socket.destroy()
  await untilHeld(world, 0)
}, 60_000)
