import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, meet, newRoom, type Signal } from './room.ts'

const world = await createWorld()
const rounds = Array.from({ length: 50 }, (_, round) => round)

type Two = [from: Insider, to: Insider]

const sdp = (type: 'offer' | 'answer', to: Insider, more: object = {}) => ({
  to: { connection: to.connection },
  type,
  payload: { type, sdp: 'v=0\r\n' },
  ...more,
})

async function send(from: Insider, body: object): Promise<void> {
  const reply = await from.send(body)
  expect(reply.status, JSON.stringify(reply.body)).toBe(200)
  expect(reply.body.results).toMatchObject([{ status: 'queued' }])
}
const offer = (...[from, to]: Two) => send(from, sdp('offer', to))
const answer = (...[from, to]: Two) => send(from, sdp('answer', to))

const offersIn = async (inbox: Insider): Promise<Signal[]> =>
  (await inbox.readAll()).filter(({ type }) => type === 'offer')
const flagsIn = async (inbox: Insider) => (await offersIn(inbox)).map(({ glare }) => glare)

describe('of two offers that cross', () => {
  it('the later one is flagged, and the earlier one stays as it was stored', async () => {
    const { ada, bob } = await meet(world)
    await offer(ada, bob)
    await offer(bob, ada)
    expect(await flagsIn(ada)).toEqual([true])
    expect(await flagsIn(bob)).toEqual([false])
  })

  it('it is the later one of whichever side, also when the earlier one was read, and acknowledged', async () => {
    const { ada, bob } = await meet(world)
    await offer(bob, ada)
    expect(await flagsIn(ada)).toEqual([false])
    await ada.drain()
    await offer(ada, bob)
    expect(await flagsIn(bob)).toEqual([true])
  })

  it('one is flagged, and only one, when both are sent at the same moment, fifty times', async () => {
    for (const round of rounds) {
      const { ada, bob } = await meet(world)
      const [one, other] = round % 2 === 0 ? [ada, bob] : [bob, ada]
      await Promise.all([offer(one, other), offer(other, one)])
      const flags = [...(await flagsIn(ada)), ...(await flagsIn(bob))]
      expect(flags.sort()).toEqual([false, true])
    }
  })

  it('one is flagged, too, among five who all call each other at once: in each pair one of the two', async () => {
    const room = newRoom()
    const people: Insider[] = []
    for (let i = 0; i < 5; i++) people.push(await comeIn(world, room, `Person ${i}`))
    const pairs = people.flatMap(from => people.filter(to => to !== from).map((to): Two => [from, to]))
    await Promise.all(pairs.map(([from, to]) => offer(from, to)))
    const flagged = new Set<string>()
    for (const to of people) {
      const offers = await offersIn(to)
      expect(offers).toHaveLength(4)
      for (const { glare, from } of offers) if (glare) flagged.add(`${from?.connection} ${to.connection}`)
    }
    for (const [{ connection: one }, { connection: other }] of pairs) {
      expect(flagged.has(`${one} ${other}`)).toBe(!flagged.has(`${other} ${one}`))
    }
  })
})

describe('an offer is not flagged', () => {
  it('when the other one was answered', async () => {
    const { ada, bob } = await meet(world)
    for (let i = 0; i < 3; i++) {
      await offer(ada, bob)
      await answer(bob, ada)
      await offer(bob, ada)
      await answer(ada, bob)
    }
    expect([...(await flagsIn(ada)), ...(await flagsIn(bob))]).toEqual(Array(6).fill(false))
  })

  it('when it follows one of the same side that is not answered yet', async () => {
    const { ada, bob } = await meet(world)
    await offer(ada, bob)
    await offer(ada, bob)
    expect(await flagsIn(bob)).toEqual([false, false])
  })

  it('when the other one is of somebody else, or to somebody else', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await offer(ada, bob)
    await offer(bob, carl)
    await offer(carl, ada)
    expect(await Promise.all([ada, bob, carl].map(flagsIn))).toEqual([[false], [false], [false]])
  })

  it('when nobody has answered the other one in its time', async () => {
    const own = await createWorld()
    const { ada, bob } = await meet(own)
    await send(ada, sdp('offer', bob, { ttl_ms: 30_000 }))
    own.clock.advance(29)
    await offer(bob, ada)
    own.clock.advance(61)
    await offer(bob, ada)
    expect((await ada.readAll()).map(({ glare }) => glare)).toEqual([false])
    expect((await offersIn(ada)).at(-1)?.glare).toBe(false)
  })

  it('when the other one’s sender has gone, and come again', async () => {
    const { ada, bob, room } = await meet(world)
    await offer(bob, ada)
    await bob.leave()
    const again = await comeIn(world, room, 'Bob')
    await offer(ada, again)
    expect(await flagsIn(again)).toEqual([false])
  })
})

describe('when offers have crossed', () => {
  it('the polite side answers, its own offer is open no more, and the next ones cross with nothing', async () => {
    const { ada, bob } = await meet(world)
    const { polite } = bob.roster[0] ?? {}
    expect(polite, 'Bob came later').toBe(true)
    await offer(bob, ada)
    await offer(ada, bob)
    await answer(bob, ada) // having rolled back
    await offer(ada, bob)
    await answer(bob, ada)
    await offer(bob, ada)
    expect(await flagsIn(bob)).toEqual([true, false])
    expect(await flagsIn(ada)).toEqual([false, false])
  })

  it('so it is when the polite side’s was the later one', async () => {
    const { ada, bob } = await meet(world)
    await offer(ada, bob)
    await offer(bob, ada)
    await answer(bob, ada)
    await offer(ada, bob)
    expect(await flagsIn(ada)).toEqual([true])
    expect(await flagsIn(bob)).toEqual([false, false])
  })

  it('an answer to somebody else settles nothing between these two', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await offer(ada, bob)
    await offer(carl, bob)
    await answer(bob, carl)
    await offer(bob, ada)
    expect(await flagsIn(ada)).toEqual([true])
  })
})
