import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { everythingOf, inboxOf, join } from './people.ts'
import { hearStatements } from './queries.ts'
import { comeIn, type Insider, meet, newRoom, word } from './room.ts'

const world = await createWorld()
const statements = hearStatements(world.db)

interface Reply {
  status: number
  body: { request_id?: string; code?: string }
}
const saidBy = ({ status, body: { request_id: _, ...body } }: Reply) => ({ status, body })

/** Whom nobody in this room can reach: of another meeting, of another tenant, and made up. */
const elsewhere = await comeIn(world, newRoom(), 'Elsewhere')
await elsewhere.drain()
const neighbour = await world.make.user()
const foreigner = await world.make.user({ tenant_id: await world.make.tenant('foreign') })
const strangers = {
  'another meeting’s': { ...(await joinOneOf(neighbour)), user: neighbour.user.id },
  'another tenant’s': { ...(await joinOneOf(foreigner)), user: foreigner.user.id },
  'one in a meeting that this node has in memory': { ...elsewhere, user: neighbour.user.id },
  'one that never was': { connection: 'con_made-up', participant: { id: 'par_made-up' }, user: 'usr_made-up' },
}

async function joinOneOf(owner: typeof neighbour) {
  const { at } = await world.make.meeting({}, owner)
  return join(owner, at)
}

const inboxOfBob = async ({ bob }: { bob: Insider }) => (await everythingOf(bob)).signals.map(({ type }) => type)

describe('a recipient who is not of this meeting', () => {
  const ways = {
    'a connection': ({ connection }: { connection: string }) => ({ connection }),
    'a participant': ({ participant }: { participant: { id: string } }) => ({ participant: participant.id }),
    'a user': ({ user }: { user: string }) => ({ user }),
  }

  it.each(Object.entries(ways))('is not there, whoever it is: named as %s', async (_, nameOf) => {
    const { ada, bob } = await meet(world)
    const replies: { [who: string]: unknown } = {}
    const asked: { [who: string]: string[] } = {}
    for (const [who, stranger] of Object.entries(strangers)) {
      const to = nameOf(stranger)
      const send = async (body: object) => saidBy(await ada.send(body))
      replies[who] = {
        alone: await send({ ...word(bob, 'psst'), to }),
        among: await send({ signals: [word(bob, 1), { ...word(bob, 2), to }, word(bob, 3)] }),
        numbered: await send({ first_seq: 1, signals: [word(bob, 1), { ...word(bob, 2), to }] }),
        an_answer: await send({ to, type: 'answer', payload: { type: 'answer', sdp: 'v=0' }, ice_session: 'one' }),
      }
      asked[who] = await statements.fewest(7, () => ada.send({ ...word(bob, 'psst'), to }))
    }
    const [first, ...others] = Object.values(replies)
    expect(first).toMatchObject({ alone: { status: 404, body: { code: 'not_found' } } })
    expect(new Set(Object.values(first as object).map(reply => JSON.stringify(reply))).size).toBe(1)
    for (const other of others) expect(other).toEqual(first)

    const [some = [], ...more] = Object.values(asked)
    expect(some.length).toBeGreaterThan(0)
    for (const each of more) expect(each).toEqual(some)

    expect(await inboxOfBob({ bob }), 'nothing of such a POST is stored').toEqual([])
    const numbered = await ada.send({ first_seq: 1, signals: [word(bob, 'as if nothing had been')] })
    expect(numbered.body.results).toMatchObject([{ status: 'queued' }])
  })

  it('finds nothing in their inbox, and nobody was woken', async () => {
    const { ada } = await meet(world)
    const before = (await elsewhere.read()).body
    await ada.send(word(elsewhere, 'psst'))
    expect((await elsewhere.read()).body).toMatchObject({ signals: [], pending: 0, cursor: before.cursor })
  })

  it('is also who was invited and has never been inside', async () => {
    const held = await world.make.meeting()
    const owner = await join(held.owner, held.at)
    const invitee = await world.make.invitee(held)
    const { status, body } = await owner.send({ to: { user: invitee.user.id }, type: 'custom.word', payload: 1 })
    expect([status, body.code]).toEqual([404, 'not_found'])
  })
})

describe('a connection that is not the caller’s', () => {
  const calls: { [what: string]: (inbox: ReturnType<typeof inboxOf>) => Promise<Reply> } = {
    'sends nothing': ({ send }) => send({ to: { connection: 'con_made-up' }, type: 'custom.word', payload: 1 }),
    'is not read': ({ read }) => read(),
    'is not waited for': ({ poll }) => poll(),
    'acknowledges nothing': ({ ack }) => ack(0),
    'is not gone on with': ({ resume }) => resume('made-up'),
    'gets no ticket': ({ connection, call }) => call('POST', '/api/rtc/tickets', { connection }),
    'has no TURN servers': ({ connection, call }) => call('GET', `/api/rtc/ice-servers?connection=${connection}`),
  }

  it.each(Object.entries(calls))('%s, whoever’s it is', async (_, call) => {
    const { ada, bob } = await meet(world)
    const asked: string[][] = []
    const replies: unknown[] = []
    for (const { connection } of [bob, ...Object.values(strangers)]) {
      const theirs = inboxOf(ada, connection)
      replies.push(saidBy(await call(theirs)))
      asked.push(await statements.fewest(7, () => call(theirs)))
    }
    expect(replies[0]).toMatchObject({ status: 404, body: { code: 'not_found' } })
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(asked[0]?.length).toBeGreaterThan(0)
    for (const each of asked) expect(each).toEqual(asked[0])
  })

  it('is not the caller’s because they are its host', async () => {
    const { ada, bob } = await meet(world) // Ada came first, and so is the host
    expect((await inboxOf(ada, bob.connection).read()).status).toBe(404)
  })
})

describe('who was here and has gone', () => {
  it.each([
    ['left', ({ bob }: { bob: Insider }) => bob.leave()],
    ['was shown out', ({ ada, bob }: { ada: Insider; bob: Insider }) => showOut(ada, bob)],
  ])('because they %s gets nothing, of which the sender is told', async (_, go) => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await carl.drain()
    expect((await go({ ada, bob })).status).toBe(200)
    const toParticipant = { ...word(bob, 2), to: { participant: bob.participant.id } }
    const signals = [word(bob, 1), toParticipant, word(carl, 3)]
    const { status, body } = await ada.send({ first_seq: 1, signals })
    const gone = { status: 'recipient_gone', deliveries: [] }
    expect([status, body.results]).toEqual([200, [gone, gone, expect.objectContaining({ status: 'queued' })]])
    const again = await ada.send({ first_seq: 1, signals })
    expect(again.body.results.slice(0, 2)).toEqual(
      Array(2).fill({ status: 'duplicate', first_status: 'recipient_gone', deliveries: [] }),
    )
    expect((await ada.send({ first_seq: 4, ...word(carl, 4) })).status).toBe(200)
    const { signals: read } = await everythingOf(carl)
    expect(read.filter(({ type }) => type === 'custom.word').map(({ payload }) => payload)).toEqual([3, 4])
  })

  it('is a user without a connection, too', async () => {
    const held = await world.make.meeting()
    const owner = await join(held.owner, held.at)
    const invitee = await world.make.invitee(held)
    await join(invitee, held.at)
    await invitee.post(held.at('/leave'))
    const { status, body } = await owner.send({ to: { user: invitee.user.id }, type: 'custom.word', payload: 1 })
    expect([status, body.results]).toEqual([200, [{ status: 'recipient_gone', deliveries: [] }]])
  })

  const showOut = (host: Insider, { participant }: Insider) =>
    host.call('POST', host.at(`/participants/${participant.id}/remove`), {})
})

describe('who it is from', () => {
  it('is stamped by the server: a connection, a participant, and a user if they have an account', async () => {
    const held = await world.make.meeting()
    const owner = await join(held.owner, held.at)
    const guest = await world.make.guest(held)
    await held.owner.post(held.at('/lobby/admit-all'))
    const visitor = await join(guest, held.at)
    await owner.send(word(visitor, { from: visitor.connection }))
    await visitor.send(word(owner, 'hello'))
    const [last] = (await everythingOf(visitor)).signals.slice(-1)
    expect(last).toMatchObject({
      from: { connection: owner.connection, participant: owner.participant.id, user: held.owner.user.id },
      payload: { from: visitor.connection },
    })
    const [first] = (await everythingOf(owner)).signals.slice(-1)
    expect(first?.from).toEqual({ connection: visitor.connection, participant: guest.participant.id, user: null })
  })

  it('cannot be said by the sender: that is an unknown member, and nothing is stored', async () => {
    const { ada, bob } = await meet(world)
    const from = { connection: bob.connection, participant: bob.participant.id, user: null }
    for (const body of [{ ...word(bob, 1), from }, { signals: [word(bob, 1), { ...word(bob, 2), from }] }]) {
      const { status, body: problem } = await ada.send(body)
      expect([status, problem.code]).toEqual([422, 'invalid'])
      expect(JSON.stringify(problem.errors)).toContain('from')
    }
    expect(await inboxOfBob({ bob })).toEqual([])
  })
})
