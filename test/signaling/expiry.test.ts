import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { everythingOf } from './people.ts'
import { comeIn, type Insider, meet, type Signal, word } from './room.ts'

const world = await createWorld()

interface Delivery {
  deliveries: { connection: string; seq: number }[]
}

/** Sends, and answers the seq of each in the recipient's inbox. */
async function send(from: Insider, signals: object[], more: object = {}): Promise<number[]> {
  const { status, body } = await from.send({ ...more, signals })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.results.map(({ deliveries }: Delivery) => deliveries[0]?.seq)
}

/** Time passes, and everybody says meanwhile that they are still there. */
async function pass(seconds: number, ...people: Insider[]): Promise<void> {
  world.clock.advance(seconds)
  for (const person of people) await person.call('POST', person.at('/heartbeat'), { connection: person.connection })
}
const sweep = () => world.app.sweeper.tick()

const lives = {
  offer: 60,
  answer: 60,
  renegotiate: 60,
  candidate: 45,
  candidates: 45,
  end_of_candidates: 45,
  bye: 120,
  'custom.word': 300,
}

describe('a signal that nobody fetched in time', () => {
  it.each(Object.entries(lives))('%s: is a gap after %i seconds, and before that it is not', async (type, life_s) => {
    const { ada, bob } = await meet(world)
    const [seq] = await send(ada, [word(bob, 'x', { type })])
    const [signal] = (await bob.readAll()) as (Signal & { sent_at: string; expires_at: string })[]
    expect(Date.parse(signal?.expires_at ?? '') - Date.parse(signal?.sent_at ?? '')).toBe(life_s * 1000)
    for (let passed = 0; passed < life_s - 1; passed += 20) await pass(Math.min(20, life_s - 1 - passed), ada, bob)
    expect((await everythingOf(bob)).gaps).toEqual([])
    expect(await bob.readAll()).toHaveLength(1)
    await pass(1, ada, bob)
    const gap = { from_seq: seq, to_seq: seq, reason: 'expired' }
    expect((await bob.read()).body).toMatchObject({ signals: [], gap, cursor: seq, has_more: false, pending: 1 })
    await sweep()
    expect((await bob.read()).body).toMatchObject({ signals: [], gap, cursor: seq })
  })

  it('lives as long as its sender says, and no longer than its type may', async () => {
    const { ada, bob } = await meet(world)
    const of = (ttl_ms: number, type = 'custom.word') => word(bob, ttl_ms, { type, ttl_ms })
    const [shortest, , long] = await send(ada, [of(100), of(9_000), of(250_000, 'candidate')])
    world.clock.advance(0.1)
    expect(await everythingOf(bob)).toMatchObject({
      signals: [{ payload: 9_000 }, { payload: 250_000 }],
      gaps: [{ from_seq: shortest, to_seq: shortest, reason: 'expired' }],
    })
    for (let i = 0; i < 3; i++) await pass(15, ada, bob)
    expect((await everythingOf(bob)).gaps).toEqual([{ from_seq: shortest, to_seq: long, reason: 'expired' }])
  })

  it.each([99, 300_001, 0, -1, 1.5])('cannot be told to live for %d ms', async ttl_ms => {
    const { ada, bob } = await meet(world)
    const { status, body } = await ada.send(word(bob, 1, { ttl_ms }))
    expect([status, body.errors?.[0]?.path]).toEqual([422, 'ttl_ms'])
  })

  it('leaves its gap in its place, between those that are left', async () => {
    const { ada, bob } = await meet(world)
    const brief = (n: number) => word(bob, n, { ttl_ms: 1000 })
    const [, two, three, , five] = await send(ada, [word(bob, 1), brief(2), brief(3), word(bob, 4), brief(5)])
    world.clock.advance(1)
    expect((await bob.read()).body).toMatchObject({
      signals: [{ payload: 1 }, { payload: 4 }],
      gap: { from_seq: two, to_seq: three, reason: 'expired' },
      has_more: true,
    })
    const { signals, gaps } = await everythingOf(bob)
    expect(signals.map(({ payload }) => payload)).toEqual([1, 4])
    expect(gaps).toEqual([
      { from_seq: two, to_seq: three, reason: 'expired' },
      { from_seq: five, to_seq: five, reason: 'expired' },
    ])
  })

  it('wakes nobody, but is told to who asks with a wait, without one', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, [word(bob, 1, { ttl_ms: 1000 })])
    world.clock.advance(1)
    const { body } = await bob.poll()
    expect(body).toMatchObject({ signals: [], gap: { reason: 'expired' } })
    expect(body.waited_ms).toBeLessThan(5000)
  })

  it('can be acknowledged like a signal, before and after it was swept', async () => {
    for (const swept of [false, true]) {
      const { ada, bob } = await meet(world)
      const [, gap = 0] = await send(ada, [word(bob, 1), word(bob, 2, { ttl_ms: 1000 }), word(bob, 3)])
      await pass(2, ada, bob)
      if (swept) await sweep()
      const { status, body } = await bob.ack({ up_to: gap })
      expect([status, body]).toEqual([200, { acknowledged: 2, acked_through: gap }])
      expect((await everythingOf(bob)).gaps).toEqual([])
      expect((await bob.ack({ seqs: [gap + 1] })).body).toEqual({ acknowledged: 1, acked_through: gap + 1 })
    }
  })

  it('is not told any more once it was acknowledged in time', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, [word(bob, 1, { ttl_ms: 1000 })])
    await bob.drain()
    await pass(2, ada, bob)
    await sweep()
    expect(await everythingOf(bob)).toEqual({ signals: [], gaps: [] })
    expect(await everythingOf(ada)).toEqual({ signals: [], gaps: [] })
  })
})

describe('the sender of what expired', () => {
  const undelivered = async (inbox: Insider) => (await inbox.readAll()).filter(({ type }) => type === 'undelivered')

  it('is told once, of all of it', async () => {
    const { ada, bob } = await meet(world)
    const brief = [1, 2, 3].map(n => word(bob, n, { ttl_ms: 1000 * n }))
    const seqs = await send(ada, brief)
    await pass(3, ada, bob)
    for (let i = 0; i < 3; i++) {
      await sweep()
      await pass(3, ada, bob)
    }
    const told = await undelivered(ada)
    expect(told).toMatchObject([
      {
        from: { connection: bob.connection, participant: bob.participant.id },
        payload: { connection: bob.connection, reason: 'expired', seqs },
        expires_at: null,
      },
    ])
    expect(await undelivered(bob)).toEqual([])
  })

  it('is woken by it', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, [word(bob, 1, { ttl_ms: 1000 })])
    const poll = ada.poll({ after: (await ada.read()).body.cursor })
    await pass(3, bob)
    await sweep()
    expect((await poll).body.signals).toMatchObject([{ type: 'undelivered' }])
  })

  it('is told of what the recipient had not acknowledged, and each sender of their own', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    for (const person of [ada, bob, carl]) await person.drain()
    const [first = 0, second] = await send(ada, [word(bob, 1, { ttl_ms: 1000 }), word(bob, 2, { ttl_ms: 1000 })])
    const [third] = await send(carl, [word(bob, 3, { ttl_ms: 1000 })])
    await bob.ack({ up_to: first })
    await pass(3, ada, bob, carl)
    await sweep()
    expect((await undelivered(ada)).map(({ payload }) => payload.seqs)).toEqual([[second]])
    expect((await undelivered(carl)).map(({ payload }) => payload.seqs)).toEqual([[third]])
  })

  it('who has left meanwhile is told nothing, and the gap is there', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, [word(bob, 1, { ttl_ms: 5000 })])
    await ada.leave()
    await pass(6, bob)
    await sweep()
    expect((await everythingOf(bob)).gaps).toMatchObject([{ reason: 'expired' }])
  })

  it('is told after as many as a sweep takes at once, and more', async () => {
    const { ada, bob } = await meet(world)
    for (let i = 0; i < 3; i++)
      await send(
        ada,
        Array.from({ length: 50 }, () => word(bob, i, { ttl_ms: 1000 })),
      )
    await pass(3, ada, bob)
    await sweep()
    expect((await undelivered(ada)).flatMap(({ payload }) => payload.seqs)).toHaveLength(150)
    expect((await everythingOf(bob)).signals).toEqual([])
    await bob.drain()
    expect((await ada.send(word(bob, 'room again'))).status).toBe(200)
  })
})

it('what the server tells does not expire', async () => {
  const { ada, bob, room } = await meet(world)
  const carl = await comeIn(world, room, 'Carl')
  for (let i = 0; i < 20; i++) await pass(30, ada, bob, carl)
  await sweep()
  expect((await bob.readAll()).map(({ type }) => type)).toEqual(['peer_joined'])
})
