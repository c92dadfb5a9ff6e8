import ICAL from 'ical.js'
import { describe, expect, it } from 'vitest'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import { createWorld, type Held, type Person } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const hours = (count: number) => clock.in(count * 3600)
const scheduled = () => world.make.meeting({ scheduled_at: hours(1) })

type Invitee = Person & { invited: string }
const read = async (invitee: Invitee): Promise<Invitation> => (await invitee.get(invitee.invited)).body
const propose = (invitee: Invitee, scheduled_at: string, more: object = {}) =>
  invitee.post(`${invitee.invited}/propose`, { scheduled_at, ...more })
const decide = (person: Person, { invited }: Invitee, verdict: 'accept' | 'decline') =>
  person.post(`${invited}/proposal/${verdict}`)

async function event(person: Person, { at }: Held) {
  const { text } = await person.get(at('/calendar.ics'))
  const found = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent('vevent')
  return { uid: found?.getFirstPropertyValue('uid'), sequence: found?.getFirstPropertyValue('sequence') }
}

describe('another time', () => {
  it('that is accepted moves the meeting: who proposed it comes, the others are asked again', async () => {
    const held = await scheduled()
    const [b, c] = [await world.make.invitee(held, { answer: 'none' }), await world.make.invitee(held)]
    const before = await event(c, held)
    expect(before.sequence).toBe(0)

    const proposed = await propose(b, hours(5), { duration_minutes: 30, note: 'After lunch?' })
    expect(proposed.status).toBe(200)
    expect(proposed.body).toMatchObject({
      status: 'proposed',
      note: 'After lunch?',
      responded_at: clock.now(),
      proposals: [{ scheduled_at: hours(5), duration_minutes: 30, note: 'After lunch?', status: 'open' }],
    })
    expect((await held.owner.get(held.at())).body).toEqual(held.meeting)
    expect(await read(c)).toMatchObject({ status: 'accepted', sequence: 0 })

    const accepted = await decide(held.owner, b, 'accept')
    expect(accepted.status).toBe(200)
    expect(accepted.body).toMatchObject({
      status: 'accepted',
      sequence: 1,
      proposals: [{ status: 'accepted', decided_at: clock.now() }],
      meeting: { scheduled_at: hours(5), duration_minutes: 30, sequence: 1 },
    })
    expect((await held.owner.get(held.at())).body).toMatchObject({
      scheduled_at: hours(5),
      duration_minutes: 30,
      sequence: 1,
    })
    expect(await read(b)).toEqual(accepted.body)
    expect(await read(c)).toMatchObject({ status: 'pending', sequence: 1, meeting: { scheduled_at: hours(5) } })
    expect(await event(c, held)).toEqual({ uid: before.uid, sequence: 1 })

    await held.owner.post(held.at('/start'))
    expect((await b.post(held.at('/join'), {})).status).toBe(201)
    const refused = await c.post(held.at('/join'), {})
    expect(refused.status).toBe(403)
    expect(refused.body.code).toBe('not_accepted')
    const stale = await c.post(`${c.invited}/accept`, { sequence: 0 })
    expect(stale.status).toBe(409)
    expect(stale.body.code).toBe('stale_sequence')
    expect((await c.post(`${c.invited}/accept`, { sequence: 1 })).status).toBe(200)
    expect((await c.post(held.at('/join'), {})).status).toBe(201)
  })

  it('that is declined leaves the meeting where it is, and the invitation pending', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    await propose(invitee, hours(5))
    const declined = await decide(held.owner, invitee, 'decline')
    expect(declined.status).toBe(200)
    expect(declined.body).toMatchObject({ status: 'pending', sequence: 0, proposals: [{ status: 'declined' }] })
    expect(await read(invitee)).toEqual(declined.body)
    expect((await held.owner.get(held.at())).body).toEqual(held.meeting)
    for (const verdict of ['decline', 'accept'] as const) {
      const again = await decide(held.owner, invitee, verdict)
      expect(again.status).toBe(409)
      expect(again.body.code).toBe('no_open_proposal')
    }
    expect((await invitee.post(`${invitee.invited}/accept`, { sequence: 0 })).body.status).toBe('accepted')
  })

  it('proposed by several people stands side by side, until one is accepted', async () => {
    const held = await scheduled()
    const people = [
      await world.make.invitee(held),
      await world.make.invitee(held, { answer: 'reject' }),
      await world.make.invitee(held, { answer: 'none' }),
    ] as const
    for (const [i, person] of people.entries()) await propose(person, hours(2 + i))
    const all = async (): Promise<Invitation[]> => (await held.owner.get(held.at('/invitations'))).body.data
    expect((await all()).map(({ status, proposals }) => [status, proposals[0]?.scheduled_at])).toEqual(
      people.map((_, i) => ['proposed', hours(2 + i)]),
    )
    expect((await people[0].get('/api/invitations')).body.data).toMatchObject([{ proposals: [{ status: 'open' }] }])

    await decide(held.owner, people[1], 'accept')
    expect((await all()).map(({ status, proposals }) => [status, proposals[0]?.status])).toEqual([
      ['pending', 'superseded'],
      ['accepted', 'accepted'],
      ['pending', 'superseded'],
    ])
    expect((await decide(held.owner, people[0], 'accept')).body.code).toBe('no_open_proposal')
  })

  it('proposed later takes the place of the one before, which stays to be read', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    await propose(invitee, hours(2), { note: 'two' })
    clock.advance(1)
    const { body } = await propose(invitee, hours(3), { note: 'three' })
    expect(body.proposals).toMatchObject([
      { note: 'two', status: 'superseded', decided_at: clock.now() },
      { note: 'three', status: 'open', decided_at: null },
    ])
    await decide(held.owner, invitee, 'accept')
    expect((await held.owner.get(held.at())).body.scheduled_at).toBe(body.proposals[1].scheduled_at)
  })

  it('is no longer proposed by who has answered otherwise, or when the meeting has moved', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    const changes = [
      () => invitee.post(`${invitee.invited}/accept`),
      () => invitee.post(`${invitee.invited}/reject`),
      () => held.owner.patch(held.at(), { scheduled_at: hours(4) }),
    ]
    for (const change of changes) {
      await propose(invitee, hours(9))
      await change()
      expect((await read(invitee)).proposals.at(-1)?.status).toBe('superseded')
      expect((await decide(held.owner, invitee, 'accept')).body.code).toBe('no_open_proposal')
    }
  })

  it('may not be past, neither when it is proposed nor when it is accepted', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    for (const [time, message] of [
      [clock.in(-1), /lie ahead/],
      [clock.now(), /lie ahead/],
      ['2025-02-30T09:00', /in the calendar/],
      [hours(1), /that it has/],
    ] as const) {
      const reply = await propose(invitee, time)
      expect(reply.status).toBe(422)
      expect(reply.body.errors).toEqual([{ path: 'scheduled_at', message: expect.stringMatching(message) }])
    }
    expect(await read(invitee)).toMatchObject({ status: 'accepted', proposals: [] })

    await propose(invitee, clock.in(10))
    clock.advance(11)
    const late = await decide(held.owner, invitee, 'accept')
    expect(late.status).toBe(422)
    expect(late.body.errors).toMatchObject([{ path: 'scheduled_at' }])
    expect(await read(invitee)).toMatchObject({ status: 'proposed', proposals: [{ status: 'open' }] })
    expect((await held.owner.get(held.at())).body).toEqual(held.meeting)
    expect((await decide(held.owner, invitee, 'decline')).body.status).toBe('pending')
  })

  it('is read on the wall of the meeting, and may be just another duration', async () => {
    const held = await world.make.meeting({ scheduled_at: '2190-07-01T09:00', time_zone: 'Asia/Tokyo' })
    const invitee = await world.make.invitee(held)
    const { body } = await propose(invitee, '2190-07-02T09:00')
    expect(body.proposals[0]).toMatchObject({ scheduled_at: '2190-07-02T00:00:00.000Z', duration_minutes: 60 })
    const longer = await propose(invitee, '2190-07-01T09:00', { duration_minutes: 90 })
    expect(longer.body.proposals[1]).toMatchObject({ duration_minutes: 90, status: 'open' })
    await decide(held.owner, invitee, 'accept')
    expect((await held.owner.get(held.at())).body).toMatchObject({ duration_minutes: 90, sequence: 1 })
  })

  it('is proposed fifty times by one person, and no more', async () => {
    const held = await scheduled()
    const [invitee, other] = [await world.make.invitee(held), await world.make.invitee(held)]
    for (let i = 0; i < 50; i++) expect((await propose(invitee, clock.in(7200 + i))).status).toBe(200)
    const refused = await propose(invitee, hours(9))
    expect([refused.status, refused.body.code]).toEqual([409, 'too_many_proposals'])
    const { status, proposals } = await read(invitee)
    expect([status, proposals.length, proposals.at(-1)?.status]).toEqual(['proposed', 50, 'open'])
    expect((await propose(other, hours(9))).status).toBe(200)
    expect((await invitee.post(`${invitee.invited}/accept`)).body.status).toBe('accepted')
  })

  it('is decided by the owner alone', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const stranger = await world.make.user()
    await propose(invitee, hours(5))
    for (const verdict of ['accept', 'decline'] as const) {
      for (const person of [coHost, invitee]) {
        const reply = await decide(person, invitee, verdict)
        expect(reply.status).toBe(403)
        expect(reply.body.code).toBe('owner_only')
      }
      expect((await decide(stranger, invitee, verdict)).status).toBe(404)
    }
    expect(await read(invitee)).toMatchObject({ status: 'proposed' })
  })

  it('is not for a meeting that is live or over', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    await propose(invitee, hours(5))
    await held.owner.post(held.at('/start'))
    expect((await propose(invitee, hours(6))).body.code).toBe('invalid_transition')
    expect((await decide(held.owner, invitee, 'accept')).body.code).toBe('invalid_transition')
    expect(await read(invitee)).toMatchObject({ status: 'proposed', proposals: [{ status: 'open' }] })
    await held.owner.post(held.at('/end'))
    expect((await propose(invitee, hours(6))).body.code).toBe('meeting_over')
  })

  it('accepted and declined at once is one or the other', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const held = await scheduled()
      const invitee = await world.make.invitee(held, { answer: 'none' })
      await propose(invitee, hours(5))
      const replies = await Promise.all([
        decide(held.owner, invitee, 'accept'),
        decide(held.owner, invitee, 'decline'),
        decide(held.owner, invitee, 'accept'),
      ])
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409])
      const { status, proposals, meeting } = await read(invitee)
      return `${status} ${proposals[0]?.status} ${meeting.sequence}`
    })
    for (const outcome of await Promise.all(rounds)) {
      expect(['accepted accepted 1', 'pending declined 0']).toContain(outcome)
    }
  })

  it('of two people accepted at once moves the meeting once', async () => {
    const held = await scheduled()
    const people = [await world.make.invitee(held), await world.make.invitee(held)]
    await Promise.all(people.map((person, i) => propose(person, hours(5 + i))))
    const replies = await Promise.all(people.map(person => decide(held.owner, person, 'accept')))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await held.owner.get(held.at())).body.sequence).toBe(1)
    expect((await Promise.all(people.map(read))).map(({ status }) => status).sort()).toEqual(['accepted', 'pending'])
  })
})
