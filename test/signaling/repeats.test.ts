import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { whenDone } from '../support/cleanup.ts'
import { createClient } from '../support/client.ts'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, meet, payloadsOf, type Signal, seqsOf, word, words } from './room.ts'

const world = await createWorld()

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const stored = async (to: Insider): Promise<number> =>
  (await world.db('rtc_signals').where({ connection_id: to.connection })).length

/** Sends, and has gone before there is an answer: as soon as all is written, or once it is stored. */
async function sendUnheard(from: Insider, body: object, when: 'written' | 'stored', isStored: () => Promise<boolean>) {
  const { hostname, port } = new URL(from.origin)
  const json = JSON.stringify({ connection: from.connection, ...body })
  const head = [
    'POST /api/rtc/signals HTTP/1.1',
    `Host: ${hostname}`,
    `Authorization: Bearer ${from.token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(json)}`,
  ]
  const socket = connect(Number(port), hostname).pause()
  await new Promise<void>(resolve => socket.write(`${head.join('\r\n')}\r\n\r\n${json}`, () => resolve()))
  if (when === 'written') socket.destroy()
  while (!(await isStored())) await pause(1)
  socket.destroy()
}

const statusesOf = ({ body }: { body: { results: { status: string }[] } }) => body.results.map(({ status }) => status)

const results = (status: string, first_status: string | undefined, to: Insider, seqs: number[]) => ({
  results: seqs.map(seq => ({ status, first_status, deliveries: [{ connection: to.connection, seq }] })),
})

describe('a send whose answer was lost', () => {
  for (const when of ['written', 'stored'] as const) {
    it(`is stored once, however often and whenever it is sent again; the answer is cut when it is ${when}`, async () => {
      const { ada, bob } = await meet(world)
      const base = (await bob.read()).body.acked_through
      const post = { first_seq: 1, signals: words(bob, 3) }
      await sendUnheard(ada, post, when, async () => (await stored(bob)) > 0)
      const again = results('duplicate', 'queued', bob, range(base + 1, base + 3))

      expect((await ada.send(post)).body).toEqual(again)
      const read = (await bob.poll()).body.signals
      expect(payloadsOf(read)).toEqual([1, 2, 3])
      expect((await ada.send(post)).body).toEqual(again)
      expect(seqsOf((await bob.read()).body.signals)).toEqual(seqsOf(read))

      await bob.ack({ up_to: base + 3 })
      expect((await ada.send(post)).body).toEqual(again)
      expect((await bob.read()).body).toMatchObject({ signals: [], pending: 0, acked_through: base + 3 })

      const restarted = await world.startNode()
      const [sender, reader] = [ada.through(restarted), bob.through(restarted)]
      expect((await sender.send(post)).body).toEqual(again)
      expect((await reader.read()).body.signals).toEqual([])
      const other = { first_seq: 3, signals: words(bob, 2, 4) }
      expect((await sender.send(other)).body.code).toBe('idempotency_mismatch')
      const next = await sender.send({ first_seq: 4, signals: words(bob, 1, 4) })
      expect(next.body).toEqual(results('queued', undefined, bob, [base + 4]))
      expect(payloadsOf((await reader.poll({ after: base + 3 })).body.signals)).toEqual([4])
    })
  }

  it('is known again by a process that was killed and started anew', async () => {
    const { url, drop } = await emptyDatabase()
    whenDone(drop)
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const env = { DATABASE_URL: url, PORT: String(port), DEMO: 'off' }
    const folder = emptyFolder()
    const start = async () => {
      const server = startServer(folder, env)
      await server.prints('is listening')
      return server
    }
    const anyone = createClient({ origin, document: world.app.document() })
    const first = await start()
    const { ada, bob } = await meet({ origin, anyone })
    const base = (await bob.read()).body.acked_through
    const posts = [1, 2].map(n => ({ first_seq: n * 3 - 2, signals: words(bob, 3, n * 3 - 2) }))
    for (const post of posts) expect((await ada.send(post)).status).toBe(200)
    await bob.ack({ up_to: base + 3 })
    first.child.kill('SIGKILL')
    await first.ended

    const second = await start()
    for (const [i, post] of posts.entries()) {
      const seqs = range(base + 1 + i * 3, base + 3 + i * 3)
      expect((await ada.send(post)).body).toEqual(results('duplicate', 'queued', bob, seqs))
    }
    expect((await ada.send({ first_seq: 1, signals: words(bob, 1, 7) })).body.code).toBe('idempotency_mismatch')
    expect((await ada.send({ first_seq: 8, signals: words(bob, 1, 8) })).body).toMatchObject({ expected: 7 })
    expect((await ada.send({ first_seq: 7, signals: words(bob, 1, 7) })).status).toBe(200)
    expect(payloadsOf(await bob.readAll())).toEqual([4, 5, 6, 7])
    second.child.kill('SIGTERM')
    expect(await second.ended).toEqual({ code: 0, signal: null })
  }, 60_000)

  it('and was sent by twenty at once is stored once', async () => {
    const { ada, bob } = await meet(world)
    const base = (await bob.read()).body.acked_through
    for (const round of range(0, 9)) {
      const post = { first_seq: round * 3 + 1, signals: words(bob, 3, round * 3 + 1) }
      const replies = await Promise.all(range(1, 20).map(() => ada.send(post)))
      const seqs = range(base + round * 3 + 1, base + round * 3 + 3)
      const [queued, ...more] = replies.filter(({ body }) => body.results[0].status === 'queued')
      expect(queued?.body).toEqual(results('queued', undefined, bob, seqs))
      expect(more).toEqual([])
      const again = replies.filter(reply => reply !== queued)
      for (const { body } of again) expect(body).toEqual(results('duplicate', 'queued', bob, seqs))
    }
    expect(payloadsOf(await bob.readAll())).toEqual(range(1, 30))
  })
})

describe('a number that was used', () => {
  it('for another content is refused, and nothing of that POST is stored', async () => {
    const { ada, bob, room } = await meet(world)
    const eve = await comeIn(world, room, 'Eve')
    await bob.drain()
    await ada.send({ first_seq: 1, signals: words(bob, 2) })
    const same = word(bob, 2)
    expect(statusesOf(await ada.send({ first_seq: 2, ...same }))).toEqual(['duplicate']) // bare, but no other
    for (const changed of [
      word(bob, 'another'),
      word(bob, '2'),
      word(eve, 2),
      { ...same, type: 'custom.other' },
      { ...same, negotiation_id: 'n1' },
      { ...same, ice_session: 'u1' },
      { ...same, ttl_ms: 1000 },
    ]) {
      for (const signals of [[changed], [changed, ...words(bob, 2, 3)]]) {
        const { status, body } = await ada.send({ first_seq: 2, signals })
        expect([status, body.code]).toEqual([422, 'idempotency_mismatch'])
      }
    }
    expect((await ada.send({ first_seq: 3, signals: words(bob, 1, 3) })).body.results[0].status).toBe('queued')
    expect(payloadsOf(await bob.readAll())).toEqual([1, 2, 3])
  })

  it('is trimmed off a POST that brings new ones, too', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ first_seq: 1, signals: words(bob, 3) })
    const { body } = await ada.send({ first_seq: 2, signals: words(bob, 5, 2) })
    expect(statusesOf({ body })).toEqual(['duplicate', 'duplicate', 'queued', 'queued', 'queued'])
    const seqs = seqsOf(await bob.readAll())
    const told = body.results.map(({ deliveries }: { deliveries: { seq: number }[] }) => deliveries[0]?.seq)
    expect(told).toEqual(seqs.slice(1))
    expect(payloadsOf(await bob.readAll())).toEqual(range(1, 6))
  })

  it('is compared for the last 1024, and taken for a repetition if it is older', async () => {
    const { ada, bob } = await meet(world)
    const sender = ada.lean()
    const last = 64 * 18
    for (let first_seq = 1; first_seq < last; first_seq += 64) {
      expect((await sender.send({ first_seq, signals: words(bob, 64, first_seq) })).status).toBe(200)
      await bob.drain()
    }
    const other = (first_seq: number) => ada.send({ first_seq, signals: [word(bob, 'another')] })
    expect((await other(last)).body.code).toBe('idempotency_mismatch')
    expect((await other(last - 1023)).body.code).toBe('idempotency_mismatch')
    for (const older of [last - 1024, 65, 1]) {
      const { status, body } = await other(older)
      expect([older, status, body.results?.[0].status]).toEqual([older, 200, 'duplicate'])
    }
    expect((await bob.read()).body.signals).toEqual([])
    expect((await ada.send({ first_seq: last + 1, signals: [word(bob, 'next')] })).body.results[0].status).toBe(
      'queued',
    )
  })

  it('has the first outcome, whatever has become of the recipient since', async () => {
    const { ada, bob, room } = await meet(world)
    const base = (await bob.read()).body.acked_through
    const toBob = { first_seq: 1, signals: words(bob, 1) }
    expect((await ada.send(toBob)).status).toBe(200)
    await bob.leave()
    expect((await ada.send(toBob)).body).toEqual(results('duplicate', 'queued', bob, [base + 1]))
    const gone = { first_seq: 2, signals: words(bob, 1, 2) }
    expect((await ada.send(gone)).body.results).toEqual([{ status: 'recipient_gone', deliveries: [] }])
    await comeIn(world, room, 'Bob', bob)
    const again = { status: 'duplicate', first_status: 'recipient_gone', deliveries: [] }
    expect((await ada.send(gone)).body.results).toEqual([again])
  })

  it('goes to the devices of the first time, and to none that has come since', async () => {
    const { ada, bob, room } = await meet(world)
    const second = await comeIn(world, room, 'Bob', bob)
    const to = { participant: bob.participant.id }
    const post = { first_seq: 1, signals: [{ to, type: 'custom.word', payload: 1 }] }
    const { body } = await ada.send(post)
    expect(body.results[0].deliveries).toHaveLength(2)
    const third = await comeIn(world, room, 'Bob', bob)
    const again = (await ada.send(post)).body
    expect(again.results).toEqual([
      { status: 'duplicate', first_status: 'queued', deliveries: body.results[0].deliveries },
    ])
    const heard = async (person: Insider) =>
      (await person.readAll()).filter(({ type }: Signal) => type === 'custom.word').length
    expect(await Promise.all([bob, second, third].map(heard))).toEqual([1, 1, 0])
  })
})

describe('the numbers of a sender', () => {
  it('have no hole: what comes too early is told what is expected, and is not stored', async () => {
    const { ada, bob } = await meet(world)
    const early = await ada.send({ first_seq: 2, signals: words(bob, 2, 2) })
    expect([early.status, early.body.code, early.body.expected]).toEqual([409, 'send_gap', 1])
    await ada.send({ first_seq: 1, signals: words(bob, 1) })
    expect((await ada.send({ first_seq: 4, signals: words(bob, 1, 4) })).body.expected).toBe(2)
    expect((await ada.send({ first_seq: 2, signals: words(bob, 2, 2) })).status).toBe(200)
    expect(payloadsOf(await bob.readAll())).toEqual([1, 2, 3])
  })

  it('are of each connection, and sends without a number do not count', async () => {
    const { ada, bob, room } = await meet(world)
    const tablet = await comeIn(world, room, 'Ada', ada)
    const queued = async (from: Insider, body: object) =>
      expect((await from.send(body)).body.results).toMatchObject([{ status: 'queued' }])
    await queued(ada, { first_seq: 1, signals: [word(bob, 'one of Ada')] })
    await queued(tablet, { first_seq: 1, signals: [word(bob, 'one of her tablet')] })
    await queued(bob, { first_seq: 1, signals: [word(ada, 'one of Bob')] })
    for (const again of [1, 2]) await queued(ada, word(bob, `unnumbered ${again}`))
    await queued(ada, { first_seq: 2, signals: [word(bob, 'two of Ada')] })
    const words = (await bob.readAll()).filter(({ type }) => type === 'custom.word')
    const told = ['one of Ada', 'one of her tablet', 'unnumbered 1', 'unnumbered 2', 'two of Ada']
    expect(payloadsOf(words)).toEqual(told)
  })

  it('are told to who has lost count', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ first_seq: 1, signals: words(bob, 7) })
    const { connection, resume_token } = ada
    const { body } = await ada.call('POST', '/api/rtc/resume', { connection, resume_token, cursor: 0 })
    expect(body.inbox.send_next).toBe(8)
  })

  it('bring three sockets into order, whichever is first: 1–20, 21–40 and 41–60, twenty times', async () => {
    const { ada, bob } = await meet(world)
    const socket = ada.lean()
    let early = 0

    async function sendUntilStored(post: { first_seq: number }, from: number): Promise<void> {
      for (;;) {
        const { status, body } = await socket.send(post)
        if (status === 200) return
        expect([status, body.code]).toEqual([409, 'send_gap'])
        expect([from, from + 20, from + 40]).toContain(body.expected)
        expect(body.expected).toBeLessThan(post.first_seq)
        early++
      }
    }

    for (const round of range(0, 19)) {
      const after = await bob.drain()
      const from = round * 60 + 1
      const posts = [0, 20, 40].map(n => ({ first_seq: from + n, signals: words(bob, 20, from + n) }))
      // In each round another order; in every other one each POST comes twice.
      for (let turn = 0; turn < round % 3; turn++) posts.push(...posts.splice(0, 1))
      if (round % 4 > 1) posts.reverse()
      const all = round % 2 ? [...posts, ...posts] : posts
      await Promise.all(all.map(post => pause(Math.random() * 3).then(() => sendUntilStored(post, from))))
      const read = await bob.readAll(after)
      expect(payloadsOf(read)).toEqual(range(from, from + 59))
      expect(seqsOf(read)).toEqual(range(after + 1, after + 60))
    }
    expect(early).toBeGreaterThan(0)
  })
})
