import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { untilHeld } from './people.ts'
import { comeIn, type Insider, meet, word } from './room.ts'

const world = await createWorld()
const nodeTwo = await world.startNode()

/** Waits at the other node; whatever else happens there, the sweep of a second is the longest that it takes. */
async function waiting(who: Insider) {
  const there = who.through(nodeTwo)
  const poll = there.poll({ after: (await there.read()).body.cursor })
  await untilHeld(nodeTwo)
  const soon = async () => {
    const answer = await Promise.race([poll, pause(4000, { status: 0, body: { signals: [] } })])
    await there.read() // takes the place of who still waits
    return answer
  }
  return { there, soon }
}

describe('who waits at one node for what is sent at another', () => {
  it('hears of it', async () => {
    const { ada, bob } = await meet(world)
    const { soon } = await waiting(bob)
    await ada.send(word(bob, 'hello'))
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears of it, too, when its sender, whose answer was lost, sends it again at that node', async () => {
    const { ada, bob } = await meet(world)
    const { soon } = await waiting(bob)
    const body = { first_seq: 1, ...word(bob, 'hello') }
    await ada.send(body)
    const again = await ada.through(nodeTwo).send(body)
    expect(again.body.results).toMatchObject([{ status: 'duplicate' }])
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears of it, too, when somebody fails at that node to send them something', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await bob.drain()
    const { soon } = await waiting(bob)
    await ada.send(word(bob, 'hello'))
    const unknown = word({ connection: 'con_made-up' }, 1)
    expect((await carl.through(nodeTwo).send({ signals: [word(bob, 1), unknown] })).status).toBe(404)
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears that it is closed, when it has just tried to write there', async () => {
    const { bob, ada } = await meet(world)
    const { soon, there } = await waiting(bob)
    await bob.leave()
    expect((await there.send(word(ada, 'too late'))).status).toBe(410)
    expect((await soon()).status).toBe(410)
  })
})
