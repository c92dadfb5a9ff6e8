import { expect, it } from 'vitest'
import { writerOf } from '../../src/db/transaction.ts'
import { createHeard } from '../../src/features/presence/heard.ts'
import { comeIn, newRoom } from '../signaling/room.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { db, clock } = world

it('a sign of life that could not be written is written the next time, unless there is a newer one', async () => {
  const room = newRoom()
  const [ada, bob] = [await comeIn(world, room, 'Ada'), await comeIn(world, room, 'Bob')]
  const heard = createHeard({ db, clock })
  const toTheSecond = (instant: string) => instant.slice(0, 19)
  const lastSeen = async ({ connection }: { connection: string }) =>
    toTheSecond((await db('rtc_connections').where({ id: connection }).first()).last_seen_at)

  clock.advance(5)
  const first = toTheSecond(clock.now())
  for (const { connection } of [ada, bob]) heard.hear(connection)
  const { schema } = writerOf(db)
  await schema.renameTable('rtc_connections', 'elsewhere')
  await expect(heard.flush()).rejects.toThrow('rtc_connections')
  await writerOf(db).schema.renameTable('elsewhere', 'rtc_connections')

  clock.advance(5)
  heard.hear(bob.connection)
  await heard.flush()
  expect(await lastSeen(ada)).toBe(first)
  expect(await lastSeen(bob)).toBe(toTheSecond(clock.now()))
})
