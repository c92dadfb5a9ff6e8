import { describe, expect, it } from 'vitest'
import { batchWithin } from '../../src/db/prepared.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import * as inboxes from '../../src/features/signaling/inbox-store.ts'
import { createMirror } from '../../src/features/signaling/mirror.ts'
import * as store from '../../src/features/signaling/store.ts'
import { createWorld } from '../support/world.ts'
import { type Insider, meet, words } from './room.ts'

const world = await createWorld()
const { db } = world

/** Another node's memory, which knows Bob's inbox as it was before something happened to it. */
async function otherNode(bob: Insider) {
  const mirror = createMirror({ db, shared: true })
  const known = await mirror.load(bob.connection)
  if (!known) throw new Error('There is no such inbox')
  return { mirror, known, again: async () => (await mirror.load(bob.connection)) ?? known }
}

const whole = async ({ connection }: Insider) => {
  const [loaded] = await inboxes.load(db, [{ id: connection }])
  if (!loaded) throw new Error('There is no such inbox')
  return inboxes.inboxOf(loaded)
}

const content = ({ unacked, shares, next_seq, acked_through, revision, pairs }: Awaited<ReturnType<typeof whole>>) => ({
  unacked: unacked.map(({ seq, state, body }) => ({ seq, state, body: state === null ? body : '' })),
  shares: [...shares],
  next_seq,
  acked_through,
  revision,
  pairs,
})

describe('What a node remembers of an inbox', () => {
  it('is brought up to date with what was written since, and the rest of it is not read again', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 3) })
    const { known, again } = await otherNode(bob)
    await ada.send({ signals: words(bob, 2, 4) })

    const now = await again()
    expect(content(now)).toEqual(content(await whole(bob)))
    expect(now.unacked).toHaveLength(5)
    known.unacked.forEach((entry, i) => {
      expect(now.unacked[i]).toBe(entry)
    })
    expect(now.unacked[3]).not.toBe(known.unacked[3])
  })

  it('loses what was acknowledged, ahead of others or up to a number', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 5) })
    const { known, again } = await otherNode(bob)
    const base = known.acked_through

    await bob.ack({ seqs: [base + 2, base + 4] })
    expect(content(await again())).toEqual(content(await whole(bob)))
    expect((await again()).unacked.map(({ state }) => state)).toEqual([null, 'acked', null, 'acked', null])
    await bob.ack({ up_to: base + 3 })
    expect(content(await again())).toEqual(content(await whole(bob)))
    expect((await again()).unacked.map(({ seq }) => seq)).toEqual([base + 5])
  })

  it('has the gap of what was taken back', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ to: { connection: bob.connection }, type: 'offer', payload: { sdp: 'v=0' } })
    const { again } = await otherNode(bob)
    await ada.leave()
    const now = await again()
    expect(content(now)).toEqual(content(await whole(bob)))
    expect(now.unacked[0]?.state).toBe('peer_left')
    expect(now.unacked.at(-1)?.type).toBe('peer_left')
  })

  it('is told by the locked row alone, when only its counters have changed', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 3) })
    const { mirror, known } = await otherNode(bob)
    await bob.ack({ up_to: known.acked_through + 2 })
    const rows = await lockedRows(bob)
    const [row] = rows
    const now = row && mirror.upToDate(row)
    expect(now && content(now)).toEqual(content(await whole(bob)))

    await ada.send({ signals: words(bob, 1, 4) })
    const [later] = await lockedRows(bob)
    expect(later && mirror.upToDate(later)).toBeUndefined()
  })

  it('is read whole when it was closed, and its signals are gone', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 3) })
    const { again } = await otherNode(bob)
    await ada.send({ signals: words(bob, 1, 4) })
    await bob.leave()
    await inTransaction(db, db => store.purge(db, [bob.connection], 500))
    expect(await again()).toMatchObject({ closed: 'left', unacked: [] })
  })
})

const lockedRows = ({ connection }: Insider) =>
  inTransaction(db, async db => {
    return inboxes.lock(await batchWithin(db), [connection], true)
  })
