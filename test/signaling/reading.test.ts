import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { meet, payloadsOf, type Signal, seqsOf, word, words } from './room.ts'

const world = await createWorld()

/** But for how often it has been delivered, which counts the readings themselves. */
const told = (signals: Signal[]) => signals.map(signal => ({ ...signal, deliveries: 0 }))

const candidates = (to: { connection: string }, count: number) =>
  Array.from({ length: count }, (_, i) =>
    word(to, { candidate: `candidate:${i} 1 udp 1 192.0.2.1 9 typ host`, sdpMid: '0' }, { type: 'candidate' }),
  )

describe('reading', () => {
  it('deletes nothing: the same question has the same answer, as often as it is asked', async () => {
    const { ada, bob } = await meet(world)
    const sent = await ada.send({ signals: words(bob, 30) })
    expect(sent.status).toBe(200)
    const first = (await bob.read()).body
    expect(payloadsOf(first.signals)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    for (let again = 2; again <= 4; again++) {
      const { body } = await bob.read()
      expect(told(body.signals)).toEqual(told(first.signals))
      expect(body).toMatchObject({ cursor: first.cursor, pending: 30, acked_through: first.acked_through })
      expect(body.signals.every(({ deliveries }: Signal) => deliveries === again)).toBe(true)
    }
  })

  it('has the same prefix after more has come, and every page is a part of the whole', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 10) })
    const before = await bob.readAll()
    await ada.send({ signals: words(bob, 10, 11) })
    const after = await bob.readAll()
    expect(told(after.slice(0, 10))).toEqual(told(before))
    expect(payloadsOf(after.slice(10))).toEqual(Array.from({ length: 10 }, (_, i) => i + 11))
    for (const limit of [1, 3, 7, 20]) expect(told(await bob.readAll(0, { limit }))).toEqual(told(after))
    for (const [i, { seq }] of after.entries()) expect(told(await bob.readAll(seq))).toEqual(told(after.slice(i + 1)))
  })

  it('while more is arriving has no hole, and finds again what was there before', async () => {
    const { ada, bob } = await meet(world)
    const { cursor } = (await bob.read()).body
    let arriving = true
    const sending = Promise.all(Array.from({ length: 80 }, (_, i) => ada.send(word(bob, i)))).then(() => {
      arriving = false
    })
    const known: Signal[] = []
    while (arriving) {
      const now = told(await bob.readAll(cursor))
      expect(now.slice(0, known.length)).toEqual(known)
      expect(seqsOf(now)).toEqual(now.map((_, i) => cursor + 1 + i))
      known.splice(0, known.length, ...now)
    }
    await sending
    expect(payloadsOf(await bob.readAll(cursor)).sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, i) => i))
  })

  it('one by one goes through a hundred candidates of one millisecond, and misses none', async () => {
    const { ada, bob } = await meet(world)
    // The clock stands still, and two POSTs are what a hundred need.
    const all = candidates(bob, 100)
    for (const part of [all.slice(0, 64), all.slice(64)]) {
      expect((await ada.send({ signals: part })).status).toBe(200)
    }
    const read: (Signal & { sent_at: string })[] = []
    for (let after = 0; read.length < 100; ) {
      const { body } = await bob.read({ after, limit: 1 })
      expect(body.signals).toHaveLength(1)
      expect([body.cursor, body.has_more]).toEqual([body.signals[0].seq, read.length < 99])
      read.push(body.signals[0])
      after = body.cursor
    }
    expect(new Set(read.map(({ sent_at }) => sent_at)).size).toBe(1)
    expect(payloadsOf(read)).toEqual(all.map(({ payload }) => payload))
    const [first = 0] = seqsOf(read)
    expect(seqsOf(read)).toEqual(Array.from({ length: 100 }, (_, i) => first + i))
  })

  it('ends a page at 256 KiB, but gives one signal at least', async () => {
    const { ada, bob } = await meet(world)
    const sdp = (n: number) => word(bob, { type: 'offer', sdp: `${n} ${'x'.repeat(120 * 1024)}` }, { type: 'offer' })
    for (const n of [1, 2, 3, 4, 5]) expect((await ada.send(sdp(n))).status).toBe(200)
    const pages: number[] = []
    for (let after = 0, more = true; more; ) {
      const { body, headers } = await bob.read({ after })
      expect(Number(headers['content-length'])).toBeLessThan(258 * 1024)
      pages.push(body.signals.length)
      more = body.has_more
      after = body.cursor
    }
    expect(pages).toEqual([2, 2, 1])
  })

  it('ends a page at 256 KiB as they are counted on the wire, whatever the alphabet', async () => {
    const { ada, bob } = await meet(world)
    const euros = '€'.repeat(20 * 1024)
    for (let n = 0; n < 8; n++) expect((await ada.send(word(bob, euros))).status).toBe(200)
    const { body, headers } = await bob.read()
    expect(Number(headers['content-length'])).toBeLessThan(258 * 1024)
    expect([body.signals.length, body.has_more]).toEqual([4, true])
  })

  it('is not kept by anybody on the way, and answers an empty inbox with an empty page', async () => {
    const { bob } = await meet(world)
    const { status, body, headers } = await bob.read()
    expect(status).toBe(200)
    expect(body).toMatchObject({ signals: [], pending: 0, has_more: false, gap: null, cursor: body.acked_through })
    expect(headers['cache-control']).toBe('no-store')
  })

  it('from beyond what there is says so, and waits for nothing', async () => {
    const { ada, bob } = await meet(world)
    await ada.send(word(bob, 'the last'))
    const { cursor } = (await bob.read()).body
    const { status, body } = await bob.poll({ after: cursor + 1 })
    expect([status, body.code]).toEqual([409, 'ack_ahead'])
  })

  it('from before what is acknowledged goes on where that ends', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 5) })
    const all = await bob.readAll()
    await bob.ack({ up_to: all[1]?.seq ?? 0 })
    expect(told(await bob.readAll(0))).toEqual(told(all.slice(2)))
  })
})
