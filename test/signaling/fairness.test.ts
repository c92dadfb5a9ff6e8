import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, meet, newRoom, payloadsOf, word, words } from './room.ts'

const world = await createWorld()

const share = 200
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const offerTo = (to: Insider, sdp = 'v=0') => word(to, { type: 'offer', sdp }, { type: 'offer' })
const candidateTo = (to: Insider) => word(to, { candidate: '' }, { type: 'candidate' })
const statusesOf = ({ body }: { body: { results: { status: string }[] } }) => body.results.map(({ status }) => status)
const isWord = ({ type }: { type: string }) => type === 'custom.word'

/** Sends words from the first number on, up to the last. */
async function fill(from: Insider, to: Insider, last = share, first = 1): Promise<void> {
  for (let next = first; next <= last; next += 64) {
    const { status } = await from.send({ first_seq: next, signals: words(to, Math.min(64, last - next + 1), next) })
    expect(status).toBe(200)
  }
}

async function expectBacklogged(from: Insider, body: object): Promise<void> {
  const reply = await from.send(body)
  expect([reply.status, reply.body.code]).toEqual([429, 'backlogged'])
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
}

async function nextNumberOf({ call, connection, resume_token }: Insider): Promise<number> {
  return (await call('POST', '/api/rtc/resume', { connection, resume_token, cursor: 0 })).body.inbox.send_next
}

describe('who has filled their share of an inbox', () => {
  it('alone is told so, and no number is used; what is stored stays', async () => {
    const { ada, bob, room } = await meet(world)
    const eve = await comeIn(world, room, 'Eve')
    await bob.drain()
    await fill(ada, bob)
    for (const signals of [words(bob, 1, 201), words(bob, 64, 201), [offerTo(bob)], [candidateTo(bob)]]) {
      await expectBacklogged(ada, { first_seq: 201, signals })
      await expectBacklogged(ada, { signals })
    }
    expect(statusesOf(await eve.send(word(bob, 'from Eve')))).toEqual(['queued'])
    expect(statusesOf(await ada.send(word(eve, 'to Eve')))).toEqual(['queued'])
    const all = await bob.readAll()
    expect(payloadsOf(all)).toEqual([...range(1, 200), 'from Eve'])
    expect(await nextNumberOf(ada)).toBe(201)
  })

  it('goes on with the same number once there is room, as much as there is', async () => {
    const { ada, bob } = await meet(world)
    const base = (await bob.read()).body.acked_through
    await fill(ada, bob)
    await expectBacklogged(ada, { first_seq: 201, signals: words(bob, 3, 201) })
    await bob.ack({ up_to: base + 1 })
    expect(statusesOf(await ada.send({ first_seq: 201, signals: words(bob, 1, 201) }))).toEqual(['queued'])
    await expectBacklogged(ada, { first_seq: 202, signals: words(bob, 2, 202) })
    await bob.ack({ seqs: [base + 100, base + 200] })
    expect(statusesOf(await ada.send({ first_seq: 202, signals: words(bob, 2, 202) }))).toEqual(['queued', 'queued'])
    await expectBacklogged(ada, { first_seq: 204, signals: words(bob, 1, 204) })
    const left = range(2, 203).filter(n => n !== 100 && n !== 200)
    expect(payloadsOf(await bob.readAll())).toEqual(left)
  })

  it('hinders nobody: the offer of another is read by the poll that is waiting', async () => {
    const { ada, bob, room } = await meet(world)
    const eve = await comeIn(world, room, 'Eve')
    await fill(ada, bob)
    const after = (await bob.readAll()).at(-1)?.seq ?? 0
    const held = bob.poll({ after })
    let read = false
    const flood = async () => {
      while (!read) await expectBacklogged(ada, { signals: words(bob, 64) })
    }
    const flooding = Promise.all(range(1, 4).map(flood))
    await expectBacklogged(ada, word(bob, 'once more'))
    expect(statusesOf(await eve.send(offerTo(bob, 'of Eve')))).toEqual(['queued'])
    const { body } = await held
    read = true
    await flooding
    expect(body.signals).toMatchObject([{ seq: after + 1, type: 'offer', from: { connection: eve.connection } }])
    expect(body.waited_ms).toBeLessThan(10_000)
  })

  it('reaches the other devices of the same person', async () => {
    const { ada, bob, room } = await meet(world)
    await fill(ada, bob)
    const phone = await comeIn(world, room, 'Bob', bob)
    const toBob = (payload: string) => ({ to: { participant: bob.participant.id }, type: 'custom.word', payload })
    const { body } = await ada.send(toBob('ring'))
    expect(body.results).toMatchObject([{ status: 'queued', deliveries: [{ connection: phone.connection }] }])
    expect(payloadsOf((await phone.readAll()).filter(isWord))).toEqual(['ring'])
  })
})

describe('a POST of which a part has no room', () => {
  /** Two words are stored, two are not. */
  async function sendPartly() {
    const { ada, bob } = await meet(world)
    await fill(ada, bob, share - 2)
    const post = { first_seq: 199, signals: words(bob, 4, 199) }
    const sent = await ada.send(post)
    expect([sent.status, statusesOf(sent)]).toEqual([200, ['queued', 'queued', 'backlogged', 'backlogged']])
    return { ada, bob, post, sent }
  }

  it('is answered for each, its numbers are used, and it is the same when it is sent again', async () => {
    const { ada, bob, post, sent } = await sendPartly()
    await bob.drain()
    const { body } = await ada.send(post)
    const again = sent.body.results.map(({ status, deliveries }: { status: string; deliveries: object[] }) => ({
      status: 'duplicate',
      first_status: status,
      deliveries,
    }))
    expect(body.results).toEqual(again)
    expect(await nextNumberOf(ada)).toBe(203)
    expect((await bob.read()).body.signals).toEqual([])
  })

  for (const type of ['offer', 'renegotiate']) {
    it(`closes the gate, and ${type} opens it again, after all is read and not before`, async () => {
      const { ada, bob } = await sendPartly()
      const anew = word(bob, 'anew', { type })
      await expectBacklogged(ada, { first_seq: 203, signals: [anew] })
      await bob.drain()
      for (const other of ['candidate', 'candidates', 'end_of_candidates', 'answer', 'bye', 'custom.word']) {
        await expectBacklogged(ada, { first_seq: 203, signals: [word(bob, 'in vain', { type: other })] })
      }
      expect(statusesOf(await bob.send(word(ada, 'the other way')))).toEqual(['queued'])
      const signals = [candidateTo(bob), anew, candidateTo(bob)]
      expect(statusesOf(await ada.send({ first_seq: 203, signals }))).toEqual(['backlogged', 'queued', 'queued'])
      expect(statusesOf(await ada.send({ first_seq: 206, signals: words(bob, 1) }))).toEqual(['queued'])
      expect((await bob.readAll()).map(({ type }) => type)).toEqual([type, 'candidate', 'custom.word'])
    })
  }

  it('keeps the gate closed across a restart', async () => {
    const { ada, bob } = await sendPartly()
    await bob.drain()
    const sender = ada.through(await world.startNode())
    await expectBacklogged(sender, { first_seq: 203, signals: words(bob, 1) })
    expect(statusesOf(await sender.send({ first_seq: 203, signals: [offerTo(bob)] }))).toEqual(['queued'])
    expect(statusesOf(await sender.send({ first_seq: 204, signals: words(bob, 1) }))).toEqual(['queued'])
  })

  it('closes the gate to who has no room, and to nobody else', async () => {
    const { ada, bob, room } = await meet(world)
    const eve = await comeIn(world, room, 'Eve')
    await fill(ada, bob)
    const both = () => ada.send({ signals: [word(eve, 1), word(bob, 2), word(eve, 3)] })
    expect(statusesOf(await both())).toEqual(['queued', 'backlogged', 'queued'])
    await bob.drain()
    expect(statusesOf(await both())).toEqual(['queued', 'backlogged', 'queued'])
    expect(payloadsOf((await eve.readAll()).filter(isWord))).toEqual([1, 3, 1, 3])
    expect((await bob.read()).body.signals).toEqual([])
  })
})

describe('an inbox with a thousand signals', () => {
  it('takes no more of anybody, but all that happens; and its owner and all others may leave', async () => {
    const room = newRoom()
    const bob = await comeIn(world, room, 'Bob')
    const five = await Promise.all(range(1, 5).map(n => comeIn(world, room, `Sender ${n}`)))
    const [first, second] = five as [Insider, Insider]
    const eve = await comeIn(world, room, 'Eve')
    const base = await bob.drain()
    await first.send({ first_seq: 1, signals: [offerTo(bob)] })
    await fill(first, bob, share, 2)
    await Promise.all(five.slice(1).map(sender => fill(sender, bob)))
    expect((await bob.read()).body.pending).toBe(1000)
    for (const signals of [words(bob, 1), [offerTo(bob)]]) await expectBacklogged(eve, { first_seq: 1, signals })
    expect(statusesOf(await eve.send(word(first, 'to another')))).toEqual(['queued'])

    const joe = await comeIn(world, room, 'Joe')
    for (const who of [joe, first]) expect((await who.leave()).status).toBe(200)
    const all = await bob.readAll()
    expect(all.filter(isWord)).toHaveLength(999) // the offer went with who made it
    expect(all.slice(-3)).toMatchObject([
      { seq: base + 1001, type: 'peer_joined', payload: { connection: joe.connection } },
      { seq: base + 1002, type: 'peer_left', payload: { connection: joe.connection } },
      { seq: base + 1003, type: 'peer_left', payload: { connection: first.connection, reason: 'left' } },
    ])

    await bob.ack({ up_to: base + 1 })
    expect(statusesOf(await eve.send({ first_seq: 1, signals: words(bob, 1) }))).toEqual(['queued'])
    await expectBacklogged(eve, { first_seq: 2, signals: words(bob, 1) })
    expect((await bob.leave()).status).toBe(200)
    expect((await bob.read()).body).toMatchObject({ code: 'connection_closed', reason: 'left' })
    expect(statusesOf(await second.send({ first_seq: 201, signals: words(bob, 1) }))).toEqual(['recipient_gone'])
  })

  it('is not made fuller by what the server tells', async () => {
    const { ada, bob, room } = await meet(world)
    for (let round = 0; round < 20; round++) await (await comeIn(world, room, 'Eve')).leave()
    const told = (await bob.read()).body.pending
    expect(told).toBe(40)
    await fill(ada, bob)
    await expectBacklogged(ada, word(bob, 'too much'))
    expect((await bob.read()).body.pending).toBe(told + share)
  })
})

describe('who sends too fast', async () => {
  const world = await createWorld({ RATE_LIMITS: 'on' })

  it('may send two hundred at once and fifty a second, and is told when to go on', async () => {
    const { ada, bob, room } = await meet(world)
    const eve = await comeIn(world, room, 'Eve')
    await bob.drain()
    const tooFast = async (body: object) => {
      const reply = await ada.send(body)
      expect([reply.status, reply.body.code]).toEqual([429, 'rate_limited'])
      return Number(reply.headers['retry-after'])
    }
    const numbered = (count: number, first_seq: number) => ({ first_seq, signals: words(bob, count, first_seq) })
    await fill(ada, bob)
    await bob.drain()
    expect(await tooFast(word(bob, 'at once'))).toBe(1)
    expect(await tooFast(numbered(1, 201))).toBe(1)
    expect(await tooFast(numbered(64, 201))).toBe(2)
    expect(statusesOf(await eve.send(word(bob, 'of Eve')))).toEqual(['queued'])
    expect((await bob.read()).status).toBe(200)

    world.clock.advance(1)
    await tooFast(numbered(51, 201))
    expect((await ada.send(numbered(50, 201))).status).toBe(200)
    await tooFast(numbered(1, 251))
    const wait_s = await tooFast(numbered(64, 251))
    world.clock.advance(wait_s)
    expect((await ada.send(numbered(64, 251))).status).toBe(200)
    expect(payloadsOf(await bob.readAll())).toEqual(['of Eve', ...range(201, 314)])
    expect(await nextNumberOf(ada)).toBe(315)
  })

  it('is counted by connection, whoever they are', async () => {
    const { ada, bob, room } = await meet(world)
    const tablet = await comeIn(world, room, 'Ada', ada)
    await fill(ada, bob)
    expect((await ada.send(word(bob, 'too fast'))).body.code).toBe('rate_limited')
    expect(statusesOf(await tablet.send(word(bob, 'from the tablet')))).toEqual(['queued'])
  })
})
