import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { gather } from './crowd.ts'
import { startPair } from './pair.ts'
import { meetAt, untilHeld, wireTo, wordsOf } from './two-apart.ts'
import { createWire } from './wire.ts'

it('who is held by a node that is killed goes on at the other, with the same cursor', async context => {
  const { nodes } = await startPair(context)
  const [first, second] = nodes
  await second.start()
  const { send, read, ack, cursorAt } = await meetAt(wireTo(first))
  let cursor = await cursorAt(wireTo(first))
  await ack(wireTo(first), cursor)

  for (let round = 0; round < 4; round++) {
    const [dying, survivor] = round % 2 === 0 ? [first, second] : [second, first]
    const [here, there] = [wireTo(dying), wireTo(survivor)]
    const several = async () => [await send(there), await send(there), await send(there)]

    // Three are read here, and the first of them is acknowledged; then there is nothing to do but wait.
    const [, ...unacked] = await several()
    const from = cursor
    while (cursor < from + 3) cursor = (await read(here, `after=${cursor}&wait=5`))?.cursor ?? 0
    await ack(here, from + 1)
    const held = read(here, `after=${cursor}&wait=25`)
    await untilHeld(dying)

    // What is sent around its death is in its last answer, if that comes, or else it is not.
    const [news] = await Promise.all([several(), pause(Math.random() * 20).then(dying.kill)])
    const last = await held
    cursor = last?.cursor ?? cursor
    const fresh = wordsOf(last) ?? []
    while (cursor < from + 6) {
      const page = await read(there, `after=${cursor}&wait=5`)
      expect(page?.signals.length, `nothing came after ${cursor}, in round ${round}`).toBeGreaterThan(0)
      fresh.push(...(wordsOf(page) ?? []))
      cursor = page?.cursor ?? 0
    }
    expect(fresh, 'what was sent while it was held').toEqual(news)
    expect(wordsOf(await read(there, 'after=0')), 'all that is not acknowledged').toEqual([...unacked, ...news])
    await ack(there, cursor)
    await dying.start()
  }
})

it('a crowd that moves from node to node as they are killed loses and doubles nothing', async context => {
  const { nodes, output } = await startPair(context)
  const [first, second] = nodes
  await second.start()
  let [alive, spare] = [first, second]
  let moves = 0
  const wire = createWire({ originOf: () => alive.origin, when: () => `after ${moves} moves:\n${output()}` })
  const crowd = await gather(wire)
  await crowd.meanwhile(async () => {
    while (moves < 4) {
      await wire.isAnswered()
      await pause(Math.random() * 500)
      ;[alive, spare] = [spare, alive]
      moves++
      await spare.kill()
      await spare.start()
    }
  })
  await crowd.finish()
  await crowd.expectNothing()
  const counts = crowd.counts()
  console.log(`${moves} moves between two nodes; ${JSON.stringify(counts)}`)
  expect(counts.delivered).toBe(counts.answered)
  expect(counts.answered, 'it was hardly used').toBeGreaterThan(moves * 10)
})
