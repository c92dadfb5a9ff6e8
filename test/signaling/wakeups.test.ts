import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, meet, word } from './room.ts'

/** Of its own each time, for it is about what one process has counted since it began. */
async function freshWorld() {
  const world = await createWorld()
  return {
    ...world,
    /** How many readers were woken, by what woke them. */
    async woken(): Promise<{ [by: string]: number }> {
      const { text } = await world.anyone.get('/metrics')
      const lines = text.matchAll(/^parley_inbox_readers_woken_total\{by="(\w+)"\} (\d+)$/gm)
      return Object.fromEntries([...lines].map(([, by, count]) => [by, Number(count)]))
    },
  }
}

/** From five milliseconds before to five after; what the timers do not hit exactly makes it so much the better. */
const offsetOf = (round: number) => (round % 11) - 5
const passed = async (ms: number): Promise<void> => (ms > 0 ? pause(ms) : undefined)

/** A poll is sent, and something happens around the moment in which it arrives. */
async function pollAround<Done>(round: number, poll: () => ReturnType<Insider['poll']>, happens: () => Promise<Done>) {
  const offset = offsetOf(round)
  const [reply] = await Promise.all([passed(-offset).then(poll), passed(offset).then(happens)])
  expect(reply.status).toBe(200)
  return reply.body
}

it('a send around the arrival of a poll is read by it, five thousand times, and no sweep has to find it', async () => {
  const world = await freshWorld()
  const pairs = 20
  const rounds = 5000 / pairs

  async function converse(pair: number): Promise<void> {
    const { ada, bob } = await meet(world)
    const [sender, reader] = [ada.lean(), bob.lean()]
    let after = (await bob.read()).body.cursor
    for (let round = 0; round < rounds; round++) {
      const { signals, cursor, waited_ms } = await pollAround(
        round + pair, // each at another offset
        () => (round % 3 === 0 ? reader.poll({ after }) : reader.poll({ after, ack: after })),
        async () => expect((await sender.send(word(bob, round))).status).toBe(200),
      )
      expect(signals).toMatchObject([{ seq: after + 1, payload: round }])
      expect(waited_ms).toBeLessThan(5000)
      after = cursor
    }
  }

  await Promise.all(Array.from({ length: pairs }, (_, pair) => converse(pair)))
  const { commit = 0, ...others } = await world.woken()
  expect(others).toEqual({})
  expect(commit).toBeGreaterThan(1000) // who came first waited, and was woken
  expect(commit).toBeLessThan(5000) // who came later found it there
}, 120_000)

it('so is who comes and who goes', async () => {
  const world = await freshWorld()
  const { bob, room } = await meet(world)
  const eve = await comeIn(world, room, 'Eve')
  let after = await bob.drain()
  let inside = eve
  for (let round = 0; round < 154; round++) {
    const left = round % 2 === 0
    const happens = async () => {
      if (left) expect((await inside.leave()).status).toBe(200)
      else inside = await comeIn(world, room, 'Eve', eve)
    }
    const { signals, cursor } = await pollAround(round >> 1, () => bob.poll({ after, ack: after }), happens)
    expect(signals).toMatchObject([
      { type: left ? 'peer_left' : 'peer_joined', payload: { connection: inside.connection } },
    ])
    after = cursor
  }
  const { commit = 0, sweep = 0, ...others } = await world.woken()
  expect(others).toEqual({})
  // The sweep may just happen to look in the moment after the commit, before it is told here.
  expect(sweep).toBeLessThan(3)
  expect(commit).toBeGreaterThan(20)
}, 60_000)
