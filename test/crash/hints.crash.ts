import { setTimeout as pause } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { createMirror } from '../../src/features/signaling/mirror.ts'
import { createReaders } from '../../src/features/signaling/reader.ts'
import { createWakeups } from '../../src/wakeups/local.ts'
import { meet, word } from '../signaling/room.ts'
import { createWorld } from '../support/world.ts'

it('a hint that comes while a reader takes its first look is not lost on it', async () => {
  const world = await createWorld()
  const { ada, bob } = await meet(world)
  const after = (await bob.read()).body.cursor

  // Another node, to which the answers of the database may be long on their way.
  let looks = 0
  let [slow, arrive] = [Promise.resolve(), () => {}]
  const db = new Proxy(world.db, {
    get(db, name) {
      if (name !== 'raw') return Reflect.get(db, name)
      return async (sql: string, values: string[]) => {
        const answer = await db.raw(sql, values)
        looks++
        await slow
        return answer
      }
    },
  })
  const mirror = createMirror({ db, shared: true })
  const others = { clock: world.clock, wakeups: createWakeups(), woken() {}, heard() {} }
  const readers = createReaders({ ...others, mirror, shared: true })
  await mirror.load(bob.connection)

  slow = new Promise(resolve => {
    arrive = resolve
  })
  const seat = readers.take(bob.connection)
  const reading = seat.next({ after, limit: 50, wait_ms: 25_000 })
  await vi.waitFor(() => expect(looks).toBe(2))
  await ada.send(word(bob, 'hello'))
  mirror.doubt([bob.connection], 'hint')
  arrive()

  await pause(50)
  await mirror.sweep(async () => {}) // not even this finds it
  const read = await Promise.race([reading, pause(2000)])
  seat.end('gone')
  expect(read?.page.signals, 'it still waits').toMatchObject([{ type: 'custom.word' }])
})
