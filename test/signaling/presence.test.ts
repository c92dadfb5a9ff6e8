import { describe, expect, it, vi } from 'vitest'
import { createWorld } from '../support/world.ts'
import { inboxOf, untilHeld } from './people.ts'
import { comeIn, type Insider, newRoom, word } from './room.ts'

/** Each test moves the clock of a world of its own. */
async function stage() {
  const world = await createWorld()
  const room = newRoom()
  const ada = await comeIn(world, room, 'Ada')
  const bob = await comeIn(world, room, 'Bob')
  const silent = await comeIn(world, newRoom(), 'Silent') // in another room, where nobody is told that they left
  const pass = async (seconds: number) => {
    world.clock.advance(seconds)
    await world.app.sweeper.tick()
  }
  return { world, ada, bob, silent, pass }
}

const poll = async (who: Insider) => who.poll({ after: (await who.read()).body.cursor })
const heartbeat = ({ call, at, connection }: Insider) => call('POST', at('/heartbeat'), { connection })
const timedOut = async (who: Insider) => expect((await who.read()).body).toMatchObject({ reason: 'timeout' })

describe('who is heard of', () => {
  it('is whoever holds a poll, for all its time; who is silent has left', async () => {
    const { world, ada, bob, silent, pass } = await stage()
    await ada.drain()
    const polls = [ada, bob].map(poll)
    await untilHeld(world, 2)
    for (let i = 0; i < 4; i++) await pass(50)
    await timedOut(silent)
    expect((await heartbeat(bob)).status).toBe(200)
    await bob.send(word(ada, 'up'))
    await ada.send(word(bob, 'up'))
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([200, 200])
  })

  it('is heard of for the last time when the poll is over, and not when it began', async () => {
    const { world, ada, bob, silent, pass } = await stage()
    await ada.drain()
    const held = poll(ada)
    await untilHeld(world)
    world.clock.advance(44)
    await bob.send(word(ada, 'up'))
    expect((await held).status).toBe(200)
    await pass(40)
    await timedOut(silent)
    expect((await heartbeat(ada)).status).toBe(200)
    await pass(50)
    await timedOut(ada)
  })

  it.each<[string, (who: Insider, other: Insider) => Promise<{ status: number }>]>([
    ['reads', ({ read }) => read()],
    ['acknowledges', ({ ack }) => ack({ up_to: 0 })],
    ['sends', ({ send }, other) => send(word(other, 1))],
    ['resumes', (who: Insider) => inboxOf(who, who.connection).resume(who.resume_token)],
    ['asks for a ticket', ({ call, connection }) => call('POST', '/api/rtc/tickets', { connection })],
    ['asks for servers', ({ call, connection }) => call('GET', `/api/rtc/ice-servers?connection=${connection}`)],
  ])('is whoever %s', async (_, call) => {
    const { ada, bob, silent, pass } = await stage()
    await pass(40)
    expect((await call(ada, bob)).status).toBeLessThan(300)
    await pass(40)
    await timedOut(silent)
    expect((await ada.read()).status).toBe(200)
  })

  it('is also whoever holds a poll at another node than the one that looks for the silent', async () => {
    const { world, ada, bob, silent, pass } = await stage()
    const node = await world.startNode()
    const there = ada.through(node)
    await bob.leave()
    await ada.drain()
    const held = poll(there)
    await untilHeld(node)
    for (let i = 0; i < 3; i++) {
      world.clock.advance(40)
      const seen = world.db('rtc_connections').where({ id: ada.connection })
      const lately = seen.where('last_seen_at', '>', world.clock.in(-5))
      await vi.waitFor(async () => expect(await lately.clone()).toHaveLength(1), { timeout: 5000, interval: 50 })
      await pass(0)
    }
    await timedOut(silent)
    expect((await heartbeat(ada)).status).toBe(200)
    await ada.leave()
    expect((await held).status).toBe(410)
  })

  it('changes no inbox by it: nobody who reads it has to look again', async () => {
    const { world, ada, bob, pass } = await stage()
    await bob.leave()
    const row = () => world.db('rtc_connections').where({ id: ada.connection }).first()
    const before = await row()
    await pass(40)
    await ada.read()
    await pass(40)
    const after = await row()
    expect(after.last_seen_at > before.last_seen_at).toBe(true)
    expect(after.revision).toBe(before.revision)
  })
})
