import { describe, expect, it } from 'vitest'
import { createWorld, type Person } from '../support/world.ts'
import { everythingOf, join, type Seat } from './people.ts'

const world = await createWorld()

/** A meeting with its owner on one device, and somebody on several. */
async function ringing(devices = 3) {
  const held = await world.make.meeting()
  const user = await world.make.invitee(held)
  const host = await join(held.owner, held.at)
  const seats: Seat[] = []
  for (let i = 0; i < devices; i++) seats.push(await join(user, held.at))
  for (const seat of [host, ...seats]) await drain(seat)
  return { ...held, user, host, seats }
}

async function drain(seat: Seat): Promise<void> {
  await seat.ack((await seat.read({ limit: 100 })).body.cursor)
}

async function send(seat: Pick<Seat, 'send'>, body: object) {
  const reply = await seat.send(body)
  expect(reply.status, JSON.stringify(reply.body)).toBe(200)
  const [result] = reply.body.results
  return { ...result, to: result.deliveries.map(({ connection }: Seat) => connection) }
}

const word = (to: object, payload: unknown = 'hello') => ({ to, type: 'custom.word', payload })
const offer = (to: object, more: object = {}) => ({ to, type: 'offer', payload: { type: 'offer', sdp: '' }, ...more })
const answer = ({ connection }: Seat, more: object = {}) => ({
  to: { connection },
  type: 'answer',
  payload: { type: 'answer', sdp: '' },
  ...more,
})
const idsOf = (seats: Seat[]) => seats.map(({ connection }) => connection)
const typesIn = async (seat: Seat) => (await everythingOf(seat)).signals.map(({ type }) => type)
const userOf = ({ user }: { user: Person }) => ({ user: user.user.id })

describe('a signal to a person', () => {
  const names: [string, (stage: Awaited<ReturnType<typeof ringing>>) => object][] = [
    ['user', userOf],
    ['participant', ({ seats: [first] }) => ({ participant: first?.participant.id })],
  ]

  it.each(names)('goes to each of their connections, named as %s, and says where it is', async (_, nameOf) => {
    const stage = await ringing()
    const { host, seats } = stage
    const { status, deliveries, to } = await send(host, word(nameOf(stage)))
    expect([status, to]).toEqual(['queued', idsOf(seats)])
    for (const [i, seat] of seats.entries()) {
      expect((await everythingOf(seat)).signals).toMatchObject([{ seq: deliveries[i].seq, payload: 'hello' }])
    }
    expect(await typesIn(host)).toEqual([])
  })

  it.each(names)(
    'of oneself goes to the other devices, named as %s, and never to the one that sends',
    async (_, nameOf) => {
      const stage = await ringing()
      const [first, ...others] = stage.seats as [Seat, ...Seat[]]
      expect((await send(first, word(nameOf(stage)))).to).toEqual(idsOf(others))
      expect(await typesIn(first)).toEqual([])
    },
  )

  it('who has no other device reaches nobody', async () => {
    const stage = await ringing(1)
    const [only] = stage.seats as [Seat]
    expect(await send(only, word(userOf(stage)))).toMatchObject({ deliveries: [] })
    expect(await typesIn(only)).toEqual([])
  })

  it('goes to the devices that are left, and to one that came later', async () => {
    const stage = await ringing()
    const { host, user, at, seats } = stage
    const [first, ...others] = seats as [Seat, ...Seat[]]
    await user.post(at('/leave'), { connection: first.connection })
    const late = await join(user, at)
    const { status, to } = await send(host, word(userOf(stage)))
    expect([status, to]).toEqual(['queued', idsOf([...others, late])])
  })

  it('goes to no device of theirs in another meeting', async () => {
    const stage = await ringing(1)
    const other = await world.make.meeting()
    await world.make.invitee(other, { user: stage.user })
    const elsewhere = await join(stage.user, other.at)
    expect((await send(stage.host, word(userOf(stage)))).to).toEqual(idsOf(stage.seats))
    expect(await typesIn(elsewhere)).toEqual([])
  })

  it('is one signal: repeated, it is a duplicate with the same places', async () => {
    const stage = await ringing()
    const body = { first_seq: 1, ...word(userOf(stage)) }
    const { deliveries } = await send(stage.host, body)
    expect(await send(stage.host, body)).toMatchObject({ status: 'duplicate', first_status: 'queued', deliveries })
    for (const seat of stage.seats) expect(await typesIn(seat)).toEqual(['custom.word'])
  })

  it('names one recipient, in one way', async () => {
    const stage = await ringing(1)
    const [only] = stage.seats as [Seat]
    for (const to of [{}, { ...userOf(stage), connection: only.connection }, { everybody: true }, null, 'all']) {
      expect((await stage.host.send({ to, type: 'custom.word', payload: 1 })).status).toBe(422)
    }
  })
})

describe('an offer to several devices of a person', () => {
  const elsewhere = async (seat: Seat) =>
    (await everythingOf(seat)).signals.filter(({ type }) => type === 'answered_elsewhere')

  it('is answered by one: the others are told, that one and the caller are not', async () => {
    const stage = await ringing()
    const { host, seats } = stage
    const [first, second, third] = seats as [Seat, Seat, Seat]
    await send(host, offer(userOf(stage), { negotiation_id: 'n1' }))
    await send(second, answer(host, { negotiation_id: 'n1' }))
    for (const seat of [first, third]) {
      expect(await typesIn(seat)).toEqual(['offer', 'answered_elsewhere'])
      expect(await elsewhere(seat)).toMatchObject([
        {
          from: { connection: second.connection },
          payload: { connection: host.connection, answered_by: second.connection },
          negotiation_id: 'n1',
        },
      ])
    }
    expect(await typesIn(second)).toEqual(['offer'])
    expect(await typesIn(host)).toEqual(['answer'])
  })

  it('is told once: a second answer, of another device or of the same, tells nobody anything', async () => {
    const stage = await ringing()
    const { host, seats } = stage
    const [first, second] = seats as [Seat, Seat]
    await send(host, offer(userOf(stage)))
    await send(second, answer(host))
    await send(first, answer(host))
    await send(second, answer(host))
    expect(await Promise.all(seats.map(async seat => (await elsewhere(seat)).length))).toEqual([1, 0, 1])
  })

  it('is told once, too, when all answer at the same moment: there is one first', async () => {
    for (let round = 0; round < 10; round++) {
      const stage = await ringing()
      await send(stage.host, offer(userOf(stage)))
      await Promise.all(stage.seats.map(seat => send(seat, answer(stage.host))))
      const told = await Promise.all(
        stage.seats.map(async seat => (await elsewhere(seat)).map(({ payload }) => payload)),
      )
      expect(told.map(({ length }) => length).sort()).toEqual([0, 1, 1])
      const winner = stage.seats[told.findIndex(({ length }) => length === 0)]
      for (const payload of told.flat()) expect(payload.answered_by).toBe(winner?.connection)
    }
  })

  it('begins anew with every offer', async () => {
    const stage = await ringing(2)
    const [first, second] = stage.seats as [Seat, Seat]
    await send(stage.host, offer(userOf(stage)))
    await send(first, answer(stage.host))
    await send(stage.host, offer(userOf(stage)))
    await send(second, answer(stage.host))
    expect((await elsewhere(second)).map(({ payload }) => payload.answered_by)).toEqual([first.connection])
    expect((await elsewhere(first)).map(({ payload }) => payload.answered_by)).toEqual([second.connection])
  })

  it('is told to who is still there', async () => {
    const stage = await ringing()
    const [first, second, third] = stage.seats as [Seat, Seat, Seat]
    await send(stage.host, offer(userOf(stage)))
    await stage.user.post(stage.at('/leave'), { connection: first.connection })
    await send(second, answer(stage.host))
    expect(await elsewhere(third)).toHaveLength(1)
  })

  it('is not told by an answer to an offer that went to one device only', async () => {
    const stage = await ringing(2)
    const [first, second] = stage.seats as [Seat, Seat]
    await send(stage.host, offer({ connection: first.connection }))
    await send(first, answer(stage.host))
    expect(await elsewhere(second)).toEqual([])
  })
})
