import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, meet, newRoom, payloadsOf, seqsOf, word, words } from './room.ts'

const world = await createWorld()

const rounds = Array.from({ length: 50 }, (_, round) => round)

/** Two of whom one has so many words of the other to read; the seq of word n is `base + n`. */
async function meetWith(count: number) {
  const { ada, bob } = await meet(world)
  const base = (await bob.read()).body.acked_through
  expect((await ada.send({ signals: words(bob, count) })).status).toBe(200)
  return { ada, bob, base }
}

const unread = async (person: Insider) => payloadsOf(await person.readAll())

describe('an acknowledgement', () => {
  it('takes away what was read, up to a seq, and nothing else', async () => {
    const { bob, base } = await meetWith(5)
    expect((await bob.ack({ up_to: base + 3 })).body).toEqual({ acknowledged: 3, acked_through: base + 3 })
    const { body } = await bob.read()
    expect(body).toMatchObject({ acked_through: base + 3, pending: 2 })
    expect(payloadsOf(body.signals)).toEqual([4, 5])
  })

  it('of more than there is acknowledges nothing at all', async () => {
    const { bob, base } = await meetWith(5)
    for (const ahead of [
      { up_to: base + 6 },
      { up_to: 2 ** 31 - 1 },
      { seqs: [base + 6] },
      { seqs: [base + 1, base + 2, base + 6] },
    ]) {
      const { status, body } = await bob.ack(ahead)
      expect([status, body.code]).toEqual([409, 'ack_ahead'])
    }
    expect((await bob.read({ ack: base + 6 })).body.code).toBe('ack_ahead')
    expect(await unread(bob)).toEqual([1, 2, 3, 4, 5])
  })

  it('backwards changes nothing', async () => {
    const { bob, base } = await meetWith(5)
    await bob.ack({ up_to: base + 4 })
    for (const back of [{ up_to: base + 2 }, { up_to: 0 }, { seqs: [base + 1, base + 3] }]) {
      expect((await bob.ack(back)).body).toEqual({ acknowledged: 0, acked_through: base + 4 })
    }
    expect(await unread(bob)).toEqual([5])
  })

  it('twice is the same as once', async () => {
    const { bob, base } = await meetWith(3)
    for (const acknowledged of [3, 0, 0]) {
      expect((await bob.ack({ up_to: base + 3 })).body).toEqual({ acknowledged, acked_through: base + 3 })
    }
    const { bob: other, base: from } = await meetWith(3)
    for (const acknowledged of [1, 0]) {
      expect((await other.ack({ seqs: [from + 2] })).body).toEqual({ acknowledged, acked_through: from })
    }
    expect((await other.ack({ seqs: [from + 3, from + 3, from + 2] })).body.acknowledged).toBe(1)
    expect(await unread(other)).toEqual([1])
  })

  it('of some leaves the others, and the floor rises over them once it gets there', async () => {
    const { bob, base } = await meetWith(6)
    expect((await bob.ack({ seqs: [base + 4, base + 2] })).body).toEqual({ acknowledged: 2, acked_through: base })
    const { body } = await bob.read()
    expect(payloadsOf(body.signals)).toEqual([1, 3, 5, 6])
    expect(body).toMatchObject({ pending: 4, gap: null, cursor: base + 6 })
    expect((await bob.ack({ seqs: [base + 1] })).body).toEqual({ acknowledged: 1, acked_through: base + 2 })
    expect((await bob.ack({ up_to: base + 3 })).body).toEqual({ acknowledged: 1, acked_through: base + 4 })
    expect((await bob.ack({ up_to: base + 4 })).body).toEqual({ acknowledged: 0, acked_through: base + 4 })
    expect(await unread(bob)).toEqual([5, 6])
    expect((await bob.ack({ up_to: base + 6 })).body).toEqual({ acknowledged: 2, acked_through: base + 6 })
    expect(await unread(bob)).toEqual([])
  })

  it('is carried by a poll, which answers once it is committed', async () => {
    const { ada, bob, base } = await meetWith(4)
    const { body } = await bob.read({ after: base + 2, ack: base + 2 })
    expect(body).toMatchObject({ acked_through: base + 2, pending: 2 })
    expect(payloadsOf(body.signals)).toEqual([3, 4])
    expect(await unread(bob)).toEqual([3, 4])
    const held = bob.poll({ after: base + 4, ack: base + 4 })
    await ada.send(word(bob, 5))
    expect((await held).body).toMatchObject({ acked_through: base + 4, signals: [{ seq: base + 5, payload: 5 }] })
    expect(await unread(bob)).toEqual([5])
  })

  it('holds after a restart, of some as of all', async () => {
    const { ada, bob, base } = await meetWith(6)
    await bob.ack({ up_to: base + 2 })
    await bob.ack({ seqs: [base + 4] })
    const restarted = await world.startNode() // with nothing in its memory
    const [sender, reader] = [ada.through(restarted), bob.through(restarted)]
    const { body } = await reader.read()
    expect(body).toMatchObject({ acked_through: base + 2, pending: 3 })
    expect(payloadsOf(body.signals)).toEqual([3, 5, 6])
    expect((await reader.ack({ seqs: [base + 4, base + 3] })).body).toEqual({
      acknowledged: 1,
      acked_through: base + 4,
    })
    await sender.send(word(bob, 7))
    expect((await reader.poll({ after: base + 6 })).body.signals).toMatchObject([{ seq: base + 7, payload: 7 }])
  })

  it("of another's connection is refused like that of one which is not there", async () => {
    const { ada, bob, base } = await meetWith(2)
    const elsewhere = await comeIn(world, newRoom())
    const replies: object[] = []
    for (const connection of [bob.connection, elsewhere.connection, 'con_01890000-0000-7000-8000-000000000000']) {
      for (const what of [{ up_to: base + 2 }, { seqs: [base + 1] }, { up_to: 0 }]) {
        const { status, body } = await ada.call('POST', '/api/rtc/ack', { connection, ...what })
        expect(status).toBe(404)
        replies.push({ ...body, request_id: '' })
      }
      const { status, body } = await ada.read({ connection, ack: 1 })
      expect(status).toBe(404)
      replies.push({ ...body, request_id: '' })
    }
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(await unread(bob)).toEqual([1, 2])
  })

  it('says what it is about, in one of the two ways', async () => {
    const { bob } = await meetWith(2)
    const ack = (body: object) => bob.call('POST', '/api/rtc/ack', { connection: bob.connection, ...body })
    for (const body of [{}, { up_to: 1, seqs: [1] }, { seqs: [] }, { seqs: [0] }, { up_to: -1 }, { up_to: 1.5 }]) {
      expect((await ack(body)).status, JSON.stringify(body)).toBe(422)
    }
    expect(await unread(bob)).toEqual([1, 2])
  })
})

describe('while a send commits, fifty times', () => {
  /** Now the one is first, now the other, by up to three milliseconds. */
  async function race<One, Other>(round: number, one: () => Promise<One>, other: () => Promise<Other>) {
    const lead = pause((round >> 1) % 4)
    const late = <Answer>(call: () => Promise<Answer>) => lead.then(call)
    return round % 2 ? Promise.all([late(one), other()]) : Promise.all([one(), late(other)])
  }

  it('an acknowledgement takes what was read, and not what is just arriving', async () => {
    const { ada, bob, base } = await meetWith(1)
    for (const round of rounds) {
      const last = base + round + 1
      const [acked, sent] = await race(
        round,
        () => bob.ack({ up_to: last }),
        () => ada.send(word(bob, round + 2)),
      )
      expect(acked.body).toEqual({ acknowledged: 1, acked_through: last })
      expect(sent.body.results[0].deliveries).toEqual([{ connection: bob.connection, seq: last + 1 }])
      const { body } = await bob.read()
      expect(body).toMatchObject({ acked_through: last, pending: 1 })
      expect(body.signals).toMatchObject([{ seq: last + 1, payload: round + 2 }])
    }
  })

  it('one of what is just arriving comes too early, or takes it', async () => {
    const { ada, bob, base } = await meetWith(1)
    const verdicts = new Set<number>()
    for (const round of rounds) {
      const arriving = base + round + 2
      const [acked, sent] = await race(
        round,
        () => bob.ack({ seqs: [arriving] }),
        () => ada.send(word(bob, round)),
      )
      expect(sent.body.results[0].deliveries[0].seq).toBe(arriving)
      const isThere = seqsOf(await bob.readAll()).includes(arriving)
      expect([acked.status, isThere]).toEqual(isThere ? [409, true] : [200, false])
      verdicts.add(acked.status)
      await bob.ack({ seqs: [arriving] })
    }
    expect([...verdicts].sort()).toEqual([200, 409]) // or it was no race
    expect(seqsOf(await bob.readAll())).toEqual([base + 1])
  })
})
