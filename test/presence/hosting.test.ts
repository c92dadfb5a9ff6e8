import { describe, expect, it } from 'vitest'
import type { Client } from '../support/client.ts'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()
const assistant = await world.make.user()
const visitor = await world.make.user()

type Guest = Awaited<ReturnType<typeof world.make.guest>>
type Reply = Awaited<ReturnType<Client['get']>>

const told = ({ status, body }: Reply) => [status, body.code]
const makeMeeting = (body: object = {}) => world.make.meeting(body, owner)
const door = ({ participant }: Pick<Guest, 'participant'>, { at }: Held, verb: string) =>
  at(`/participants/${participant.id}/${verb}`)

async function admit(held: Held, count: number): Promise<Guest[]> {
  const guests: Guest[] = []
  for (let i = 0; i < count; i++) guests.push(await world.make.guest(held))
  await owner.post(held.at('/lobby/admit-all'))
  return guests
}

/** A meeting with somebody inside who was invited as that. */
async function withRole(role: string) {
  const held = await makeMeeting()
  const person = await world.make.invitee(held, { user: assistant, role })
  const { participant } = (await person.post(held.at('/join'))).body
  const give = (role: string, by: Client = owner) => by.post(door({ participant }, held, 'role'), { role })
  return { held, at: held.at, person: { ...person, participant }, give }
}

async function hostOf({ at }: Held): Promise<Pick<Guest, 'participant'>> {
  const { body } = await owner.get(at('/participants'))
  return { participant: body.data.find(({ role }: Guest['participant']) => role === 'host') }
}

describe('a co-host', () => {
  it('lets in, turns away, shows out, gives roles, locks and ends', async () => {
    const { held, at, person } = await withRole('co_host')
    const [first, second] = [await world.make.guest(held), await world.make.guest(held)]
    expect((await person.post(door(first, held, 'admit'))).status).toBe(200)
    expect((await person.post(door(second, held, 'deny'))).status).toBe(200)
    expect((await first.post(at('/join'))).status).toBe(201)
    expect((await person.post(door(first, held, 'role'), { role: 'viewer' })).body.role).toBe('viewer')
    expect((await person.post(door(first, held, 'remove'), { ban: true })).body.state).toBe('banned')
    expect((await person.post(door(first, held, 'unban'))).body.state).toBe('away')
    expect((await person.post(at('/lobby/admit-all'))).status).toBe(200)
    expect((await person.post(at('/lock'))).body.locked).toBe(true)
    expect((await person.post(at('/unlock'))).body.locked).toBe(false)
    expect((await person.get(at('/attendance'))).status).toBe(200)
    expect((await person.post(at('/end'))).body.status).toBe('ended')
  })

  it('who came as a guest ends the meeting, and is told that it has ended', async () => {
    const held = await makeMeeting()
    const [guest] = await admit(held, 1)
    if (!guest) throw new Error('One was let in')
    expect((await guest.post(held.at('/join'))).status).toBe(201)
    await owner.post(door(guest, held, 'role'), { role: 'co_host' })
    const reply = await guest.post(held.at('/end'))
    expect([reply.status, reply.body.status]).toEqual([200, 'ended'])
  })

  it('does not cancel, change or delete what is the owner’s', async () => {
    const { at, person } = await withRole('co_host')
    expect(told(await person.post(at('/cancel')))).toEqual([403, 'owner_only'])
    expect(told(await person.patch(at(), { title: 'Mine' }))).toEqual([403, 'owner_only'])
    expect(told(await person.delete(at()))).toEqual([403, 'owner_only'])
  })

  it('does not show the host out, and makes them nothing less', async () => {
    const { held, person } = await withRole('co_host')
    const host = await hostOf(held)
    for (const by of [person, owner]) {
      expect(told(await by.post(door(host, held, 'remove')))).toEqual([403, 'host_stays'])
      expect(told(await by.post(door(host, held, 'remove'), { ban: true }))).toEqual([403, 'host_stays'])
      expect(told(await by.post(door(host, held, 'role'), { role: 'viewer' }))).toEqual([403, 'host_stays'])
    }
  })

  it('may be shown out, and then hosts no more', async () => {
    const { held, at, person } = await withRole('co_host')
    await owner.post(door(person, held, 'remove'))
    expect(told(await person.post(at('/lock')))).toEqual([403, 'hosts_only'])
    expect(told(await person.post(at('/end')))).toEqual([403, 'hosts_only'])
  })
})

describe('who is no host', () => {
  it.each(['participant', 'viewer'])('as %s is asked for none of it', async role => {
    const { held, at, person } = await withRole(role)
    const guest = await world.make.guest(held)
    const calls = [
      ...['admit', 'deny', 'unban'].map(verb => person.post(door(guest, held, verb))),
      person.post(door(guest, held, 'remove')),
      person.post(door(person, held, 'role'), { role: 'co_host' }),
      ...['/lobby/admit-all', '/start', '/end', '/lock', '/unlock'].map(path => person.post(at(path))),
      person.get(at('/attendance')),
      person.get(at('/participants?state=waiting')),
    ]
    for (const reply of await Promise.all(calls)) expect(told(reply)).toEqual([403, 'hosts_only'])
    expect((await owner.get(at('/participants?state=waiting'))).body.data).toHaveLength(1)
  })

  it('sees who is inside while being inside, and after it nothing', async () => {
    const { at, person } = await withRole('viewer')
    await owner.post(at('/join'))
    const { body } = await person.get(at('/participants'))
    expect(body.data.map(({ role }: { role: string }) => role).sort()).toEqual(['host', 'viewer'])
    expect(JSON.stringify(body)).not.toContain('@example.com')
    await person.post(at('/leave'))
    expect(told(await person.get(at('/participants')))).toEqual([403, 'not_inside'])
  })
})

describe('a role', () => {
  it('is given and taken, and is effective at the next call', async () => {
    const { held, at, person, give } = await withRole('participant')
    expect((await give('co_host')).body.role).toBe('co_host')
    expect((await person.post(at('/lock'))).status).toBe(200)
    expect((await give('participant')).body.role).toBe('participant')
    expect((await give('participant')).status).toBe(200)
    expect(told(await person.post(at('/unlock')))).toEqual([403, 'hosts_only'])
    const changes = await world.db('events').where({ meeting_id: held.meeting.id, type: 'participant.role_changed' })
    expect(changes).toHaveLength(2)
  })

  it('says what one may do, and is seen by the others', async () => {
    const { at, person, give } = await withRole('viewer')
    const watching = (await person.post(at('/join'))).body
    expect(watching.permissions).toMatchObject({ send: false, screen_share: false, record: false })
    await give('co_host')
    const hosting = (await person.post(at('/join'))).body
    expect(hosting.permissions).toMatchObject({ send: true, screen_share: true, record: true })
    const { roster } = (await owner.post(at('/join'))).body
    expect(roster.map(({ role }: { role: string }) => role)).toEqual(['co_host', 'co_host', 'co_host'])
  })

  it('of host is nobody’s to give', async () => {
    const { give } = await withRole('participant')
    expect((await give('host')).status).toBe(422)
  })
})

describe('a locked meeting', () => {
  it('takes nobody new, and lets pass who is or was inside, the hosts, and whom they let in', async () => {
    const held = await makeMeeting()
    const { at } = held
    const [inside, left, lost, welcome] = await admit(held, 4)
    if (!inside || !left || !lost || !welcome) throw new Error('Four were let in')
    for (const guest of [inside, left, lost]) expect((await guest.post(at('/join'))).status).toBe(201)
    await left.post(at('/leave'))
    const newcomer = await world.make.invitee(held, { user: visitor })
    expect((await owner.post(at('/lock'))).body.locked).toBe(true)

    expect(told(await newcomer.post(at('/join')))).toEqual([409, 'meeting_locked'])
    for (const guest of [inside, left, welcome]) expect((await guest.post(at('/join'))).status).toBe(201)
    expect((await owner.post(at('/join'))).status).toBe(201)
    await owner.post(at('/unlock'))
    expect((await newcomer.post(at('/join'))).status).toBe(201)
  })

  it('lets somebody back whose network failed, and who had been invited', async () => {
    const held = await makeMeeting()
    const person = await world.make.invitee(held, { user: visitor })
    const { connection } = (await person.post(held.at('/join'))).body
    await owner.post(held.at('/lock'))
    world.clock.advance(60)
    await world.app.sweeper.tick()
    const replaces = { connection: connection.id, resume_token: connection.resume_token }
    expect((await person.post(held.at('/join'), { replaces })).status).toBe(201)
    await person.post(held.at('/leave'))
    expect((await person.post(held.at('/join'))).status).toBe(201)
  })

  it('does not let back who was removed from it', async () => {
    const held = await makeMeeting()
    const person = await world.make.invitee(held, { user: visitor })
    const joined = (await person.post(held.at('/join'))).body
    await owner.post(held.at('/lock'))
    await owner.post(door(joined, held, 'remove'))
    expect(told(await person.post(held.at('/join')))).toEqual([409, 'meeting_locked'])
  })
})

describe('a meeting from browser to browser', () => {
  it('has eight who send, and room for those who watch', async () => {
    const held = await makeMeeting()
    const senders = await admit(held, 9)
    const replies = await Promise.all(senders.map(guest => guest.post(held.at('/join'))))
    const refused = replies.filter(({ status }) => status !== 201)
    expect(refused.map(told)).toEqual([[409, 'needs_media_provider']])

    const viewer = await world.make.invitee(held, { user: visitor, role: 'viewer' })
    const joined = await viewer.post(held.at('/join'))
    expect([joined.status, joined.body.permissions.send]).toEqual([201, false])
    const promote = () => owner.post(door(joined.body, held, 'role'), { role: 'participant' })
    expect(told(await promote())).toEqual([409, 'needs_media_provider'])
    const sender = senders.find((_, i) => replies[i]?.status === 201)
    await sender?.post(held.at('/leave'))
    expect((await promote()).status).toBe(200)
  })

  it('has eight who send, however many viewers are made senders at once', async () => {
    const held = await makeMeeting()
    const viewers = await admit(held, 12)
    for (const viewer of viewers) {
      await owner.post(door(viewer, held, 'role'), { role: 'viewer' })
      expect((await viewer.post(held.at('/join'))).status).toBe(201)
    }
    const promote = (viewer: Guest) => owner.post(door(viewer, held, 'role'), { role: 'participant' })
    const replies = await Promise.all(viewers.map(promote))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(8)
    const { body } = await owner.get(held.at('/participants?state=inside&limit=100'))
    expect(body.data.filter(({ role }: { role: string }) => role === 'participant')).toHaveLength(8)
  })

  it('has eight who send, though a viewer inside is invited once more as a participant', async () => {
    const held = await makeMeeting()
    for (const guest of await admit(held, 8)) expect((await guest.post(held.at('/join'))).status).toBe(201)
    const viewer = await world.make.invitee(held, { user: visitor, role: 'viewer' })
    expect((await viewer.post(held.at('/join'))).status).toBe(201)
    await owner.post(held.at('/invitations'), { invitees: [{ user_id: visitor.user.id, role: 'participant' }] })
    const { body } = await owner.get(held.at('/participants?state=inside&limit=100'))
    expect(body.data.filter(({ role }: { role: string }) => role !== 'viewer')).toHaveLength(8)
  })

  it('has eight who send, though everybody inside is to send from now on', async () => {
    const held = await makeMeeting({ type: 'broadcast' })
    const guests = await admit(held, 9)
    for (const guest of guests) {
      await owner.post(door(guest, held, 'role'), { role: 'participant' })
      expect((await guest.post(held.at('/join'))).status).toBe(201)
    }
    const before = (await owner.get(held.at())).body
    expect(before.senders).toBe('hosts')
    const change = () => owner.patch(held.at(), { senders: 'all', title: 'Everybody sends' })
    expect(told(await change())).toEqual([409, 'needs_media_provider'])
    expect((await owner.get(held.at())).body).toEqual(before)
    await guests[0]?.post(held.at('/leave'))
    expect((await change()).body).toMatchObject({ senders: 'all', title: 'Everybody sends' })
  })

  it('holds thirty-two', async () => {
    const held = await makeMeeting({ type: 'broadcast' })
    const guests = await admit(held, 33)
    for (const guest of guests) await owner.post(door(guest, held, 'role'), { role: 'viewer' })
    const replies = await Promise.all(guests.map(guest => guest.post(held.at('/join'))))
    const refused = replies.filter(({ status }) => status !== 201)
    expect(refused.map(told)).toEqual([[409, 'needs_media_provider']])
  })
})
