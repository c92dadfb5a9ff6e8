import { describe, expect, it } from 'vitest'
import type { Participant } from '../../src/features/meetings/schema.ts'
import type { Client } from '../support/client.ts'
import { createWorld, type Held, type Person } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()

type Guest = Awaited<ReturnType<typeof world.make.guest>>

const makeSmall = (body: object = {}) => world.make.meeting({ max_participants: 5, ...body }, owner)

/** So many guests who have been let in, and have not come in yet. */
async function admit(held: Held, count: number): Promise<Guest[]> {
  const guests = await Promise.all(Array.from({ length: count }, () => world.make.guest(held)))
  expect((await owner.post(held.at('/lobby/admit-all'))).body).toEqual({ admitted: count })
  return guests
}

/** So many people with an account who have said that they will come. */
async function inviteAll(held: Held, count: number): Promise<Person[]> {
  const people = await Promise.all(Array.from({ length: count }, () => world.make.user()))
  const invitees = people.map(({ user }) => ({ user_id: user.id }))
  const { body } = await owner.post(held.at('/invitations'), { invitees })
  await Promise.all(
    body.data.map(({ id }: { id: string }, i: number) => people[i]?.post(`/api/invitations/${id}/accept`)),
  )
  return people
}

/** All of them come at once: who gets in, and what the others are told. */
async function rush<Somebody extends Client>(people: Somebody[], { at }: Held) {
  const replies = await Promise.all(people.map(person => person.post(at('/join'))))
  const refusals = replies.filter(({ status }) => status !== 201).map(({ status, body }) => `${status} ${body.code}`)
  return { inside: people.filter((_, i) => replies[i]?.status === 201), refusals: [...new Set(refusals)] }
}

async function peopleInside({ at }: Held): Promise<Participant[]> {
  return (await owner.get(at('/participants?state=inside&limit=100'))).body.data
}

async function isInside({ participant }: Guest, held: Held): Promise<boolean> {
  return (await peopleInside(held)).some(({ id }) => id === participant.id)
}

/** Five are inside; a sixth was let in, and finds no seat. */
async function fill() {
  const held = await makeSmall()
  const [first, sixth, ...others] = await admit(held, 6)
  if (!first || !sixth) throw new Error('Six were let in')
  const { connection } = (await first.post(held.at('/join'))).body
  expect((await rush(others, held)).inside).toHaveLength(4)
  const refused = await sixth.post(held.at('/join'))
  expect([refused.status, refused.body.code]).toEqual([409, 'meeting_full'])
  const replaces = { connection: connection.id, resume_token: connection.resume_token }
  return { ...held, first, sixth, others, replaces }
}

describe('a meeting for five', () => {
  it('takes five of forty who come at once, and one of many when one has left, in each of twenty sessions', async () => {
    const held = await makeSmall({ kind: 'standing' })
    const people = await inviteAll(held, 40)
    for (let round = 0; round < 20; round++) {
      await owner.post(held.at('/start'))
      const first = await rush(people, held)
      expect(first.inside).toHaveLength(5)
      expect(first.refusals).toEqual(['409 meeting_full'])
      const users = (await peopleInside(held)).map(({ user_id }) => user_id)
      expect(users.sort()).toEqual(first.inside.map(({ user }) => user.id).sort())

      await first.inside[0]?.post(held.at('/leave'))
      const outside = people.filter(person => !first.inside.includes(person))
      const second = await rush(outside.slice(0, 12), held)
      expect(second.inside).toHaveLength(1)
      expect(second.refusals).toEqual(['409 meeting_full'])
      expect(await peopleInside(held)).toHaveLength(5)
      await owner.post(held.at('/end'))
    }
  }, 120_000)

  it('keeps no seat for who waits in the lobby, or was let in and has not come', async () => {
    const held = await makeSmall({ lobby: true })
    const guests = await admit(held, 8)
    await Promise.all(Array.from({ length: 8 }, () => world.make.guest(held)))
    expect((await rush(guests.slice(0, 5), held)).inside).toHaveLength(5)
    expect((await rush(guests.slice(5), held)).refusals).toEqual(['409 meeting_full'])
  })

  it('counts the host, and tells them as anybody that it is full', async () => {
    const { at } = await fill()
    const reply = await owner.post(at('/join'))
    expect([reply.status, reply.body.code]).toEqual([409, 'meeting_full'])
  })
})

describe('somebody inside a full meeting', () => {
  it('is not refused for a second device, which takes no seat', async () => {
    const held = await fill()
    expect((await held.first.post(held.at('/join'))).status).toBe(201)
    expect(await peopleInside(held)).toHaveLength(5)
  })

  it('is not refused for a new connection in place of the old one', async () => {
    const held = await fill()
    expect((await held.first.post(held.at('/join'), { replaces: held.replaces })).status).toBe(201)
    expect(await peopleInside(held)).toHaveLength(5)
  })

  it('who was given up for lost comes back with the old connection, though the seat is taken', async () => {
    const held = await fill()
    world.clock.advance(46)
    for (const other of held.others) expect((await other.post(held.at('/heartbeat'))).status).toBe(200)
    await world.app.sweeper.tick()
    expect(await isInside(held.first, held)).toBe(false)
    expect((await held.sixth.post(held.at('/join'))).status).toBe(201)

    expect((await held.first.post(held.at('/join'))).body.code).toBe('meeting_full')
    expect((await held.first.post(held.at('/join'), { replaces: held.replaces })).status).toBe(201)
    expect(await isInside(held.first, held)).toBe(true)
  })

  it('who has left has given up the seat, and has no claim to it by that connection', async () => {
    const held = await fill()
    await held.first.post(held.at('/leave'))
    expect((await held.sixth.post(held.at('/join'))).status).toBe(201)
    const reply = await held.first.post(held.at('/join'), { replaces: held.replaces })
    expect([reply.status, reply.body.code]).toEqual([409, 'meeting_full'])
  })

  it('who has left has no claim to the seat by a connection from before, either', async () => {
    const held = await fill()
    await held.first.post(held.at('/join'), { replaces: held.replaces })
    await held.first.post(held.at('/leave'))
    expect((await held.sixth.post(held.at('/join'))).status).toBe(201)
    const reply = await held.first.post(held.at('/join'), { replaces: held.replaces })
    expect([reply.status, reply.body.code]).toEqual([409, 'meeting_full'])
    expect(await peopleInside(held)).toHaveLength(5)
  })
})
