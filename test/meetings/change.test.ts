import { describe, expect, it } from 'vitest'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import type { Meeting } from '../../src/features/meetings/schema.ts'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const ahead = (hours = 1) => clock.in(hours * 3600)

const read = async ({ owner, at }: Held): Promise<Meeting> => (await owner.get(at())).body
const answerOf = async (invitee: { get: Held['owner']['get']; invited: string }): Promise<Invitation> =>
  (await invitee.get(invitee.invited)).body

describe('a change of a meeting', () => {
  it('is seen by everybody, raises its version, and asks nobody again', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const invitee = await world.make.invitee(held)
    const before = await read(held)
    clock.advance(1)
    const changes = {
      title: 'Renamed',
      description: 'With words',
      max_participants: 3,
      lobby: true,
      senders: 'hosts',
      screen_share: 'hosts',
      chat: 'off',
      recording: 'auto',
      guests: false,
      max_duration_minutes: 30,
      metadata: { a: [1] },
    }
    const reply = await held.owner.patch(held.at(), changes)
    expect(reply.status).toBe(200)
    expect(reply.body).toEqual({ ...before, ...changes, version: before.version + 1, updated_at: clock.now() })
    expect(reply.headers.etag).toBe(`"${before.version + 1}"`)
    expect((await invitee.get(held.at())).body).toEqual(reply.body)
    expect(await answerOf(invitee)).toMatchObject({ status: 'accepted', meeting: { title: 'Renamed', sequence: 0 } })
  })

  it('of nothing changes nothing', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    clock.advance(1)
    expect((await held.owner.patch(held.at(), {})).body).toEqual(held.meeting)
  })

  it('is not sent again to who has it', async () => {
    const { owner, at } = await world.make.meeting()
    const { headers } = await owner.get(at())
    const etag = headers.etag ?? ''
    expect(etag).toMatch(/^"\d+"$/)
    expect((await owner.get(at(), { 'If-None-Match': etag })).status).toBe(304)
    await owner.patch(at(), { title: 'Changed' })
    expect((await owner.get(at(), { 'If-None-Match': etag })).status).toBe(200)
  })

  it('is made only from the version that If-Match names', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const etag = `"${held.meeting.version}"`
    expect((await held.owner.patch(held.at(), { title: 'Mine' }, { 'If-Match': etag })).status).toBe(200)
    for (const changes of [{ title: 'Late' }, { scheduled_at: ahead(2) }]) {
      const reply = await held.owner.patch(held.at(), changes, { 'If-Match': etag })
      expect(reply.status).toBe(412)
      expect(reply.body.code).toBe('stale')
    }
    expect((await held.owner.delete(held.at(), { 'If-Match': etag })).status).toBe(412)
    expect(await read(held)).toMatchObject({ title: 'Mine', sequence: 0 })
    expect((await held.owner.patch(held.at(), { title: 'Any' }, { 'If-Match': '*' })).status).toBe(200)
  })

  it('made ten times at once from one version is made once', async () => {
    const { owner, meeting, at } = await world.make.meeting()
    const etag = { 'If-Match': `"${meeting.version}"` }
    const changes = Array.from({ length: 10 }, (_, i) => owner.patch(at(), { title: `Name ${i}` }, etag))
    const statuses = (await Promise.all(changes)).map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 412)])
  })

  it('is for the owner', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const stranger = await world.make.user()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const guest = await world.make.guest(held)
    expect((await coHost.patch(held.at(), { title: 'Mine' })).body.code).toBe('owner_only')
    expect((await stranger.patch(held.at(), { title: 'Mine' })).status).toBe(404)
    expect((await foreigner.patch(held.at(), { title: 'Mine' })).status).toBe(404)
    expect((await guest.patch(held.at(), { title: 'Mine' })).body.code).toBe('account_needed')
    expect(await read(held)).toEqual(held.meeting)
  })

  it.each([
    ['colour', { colour: 'red' }],
    ['type', { type: 'webinar' }],
    ['kind', { kind: 'standing' }],
    ['provider', { provider: 'mesh' }],
    ['status', { status: 'live' }],
    ['version', { version: 1 }],
    ['join_code', { join_code: 'letmein' }],
    ['title', { title: '' }],
    ['scheduled_at', { scheduled_at: null }],
    ['scheduled_at', { scheduled_at: '2025-02-30T09:00' }],
    ['scheduled_at', { scheduled_at: '2020-01-01T09:00' }],
    ['recurrence', { recurrence: 'FREQ=HOURLY' }],
    ['duration_minutes', { duration_minutes: 0 }],
    ['metadata', { metadata: null }],
  ])('is refused for a wrong %s: %j', async (path, wrong) => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const reply = await held.owner.patch(held.at(), { description: 'right', ...wrong })
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toMatchObject([{ path }])
    expect(await read(held)).toEqual(held.meeting)
  })
})

describe('a change of the time', () => {
  it.each([
    ['start', () => ({ scheduled_at: ahead(5) })],
    ['duration', () => ({ duration_minutes: 45 })],
    ['time zone', () => ({ time_zone: 'Asia/Tokyo' })],
    ['recurrence', () => ({ recurrence: 'FREQ=DAILY' })],
  ])('by its %s raises the sequence by one, and asks those who had accepted again', async (_, changes) => {
    const held = await world.make.meeting({ scheduled_at: ahead(), time_zone: 'UTC' })
    const [yes, no, open] = await Promise.all([
      world.make.invitee(held),
      world.make.invitee(held, { answer: 'reject' }),
      world.make.invitee(held, { answer: 'none' }),
    ])
    const moved = changes()
    expect((await held.owner.patch(held.at(), moved)).body).toMatchObject({ ...moved, sequence: 1 })
    for (const asked of [yes, open]) {
      expect(await answerOf(asked)).toMatchObject({ status: 'pending', sequence: 1, meeting: { sequence: 1 } })
    }
    expect((await answerOf(no)).status).toBe('rejected')

    await held.owner.post(held.at('/start'))
    expect((await yes.post(held.at('/join'), {})).body.code).toBe('not_accepted')
    await yes.post(`${yes.invited}/accept`, { sequence: 1 })
    expect((await yes.post(held.at('/join'), {})).status).toBe(201)
  })

  it('together with the rest is one change of the time', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const changes = { scheduled_at: ahead(2), duration_minutes: 30, time_zone: 'Asia/Tokyo', title: 'Later' }
    expect((await held.owner.patch(held.at(), changes)).body).toMatchObject({ ...changes, sequence: 1 })
  })

  it('to what it is anyhow is none', async () => {
    const scheduled_at = ahead()
    const held = await world.make.meeting({ scheduled_at, time_zone: 'Asia/Kolkata', recurrence: 'FREQ=DAILY' })
    const invitee = await world.make.invitee(held)
    const local = new Date(Date.parse(scheduled_at) + 5.5 * 3600_000).toISOString().slice(0, 23)
    for (const same of [
      { scheduled_at },
      { scheduled_at: local },
      { scheduled_at: `${local}+05:30` },
      { time_zone: 'Asia/Kolkata', duration_minutes: 60 },
      { recurrence: 'rrule:freq=daily' },
    ]) {
      expect((await held.owner.patch(held.at(), same)).body).toEqual(held.meeting)
    }
    expect((await answerOf(invitee)).status).toBe('accepted')
  })

  it('to what it is anyhow may be asked for when that time is past', async () => {
    const scheduled_at = clock.in(5)
    const held = await world.make.meeting({ scheduled_at })
    clock.advance(10)
    const reply = await held.owner.patch(held.at(), { scheduled_at, title: 'Late' })
    expect(reply.body).toMatchObject({ title: 'Late', scheduled_at, sequence: 0 })
    expect((await held.owner.patch(held.at(), { scheduled_at: clock.in(-8) })).status).toBe(422)
  })

  it('is read in the zone that comes with it, or else in its own', async () => {
    const held = await world.make.meeting({ scheduled_at: '2190-07-01T09:00', time_zone: 'Asia/Kolkata' })
    const own = await held.owner.patch(held.at(), { scheduled_at: '2190-07-02T09:00' })
    expect(own.body.scheduled_at).toBe('2190-07-02T03:30:00.000Z')
    const other = await held.owner.patch(held.at(), { scheduled_at: '2190-07-02T09:00', time_zone: 'Asia/Tokyo' })
    expect(other.body.scheduled_at).toBe('2190-07-02T00:00:00.000Z')
  })

  it('twice at once raises the sequence by two', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const changes = [2, 3].map(hours => held.owner.patch(held.at(), { scheduled_at: ahead(hours) }))
    for (const { status } of await Promise.all(changes)) expect(status).toBe(200)
    expect((await read(held)).sequence).toBe(2)
  })

  it('is impossible once it is live, has ended or was cancelled; the rest may change', async () => {
    const [live, ended, cancelled] = await Promise.all(
      [1, 2, 3].map(hours => world.make.meeting({ scheduled_at: ahead(hours) })),
    )
    if (!live || !ended || !cancelled) throw new Error('too few')
    await live.owner.post(live.at('/start'))
    await ended.owner.post(ended.at('/start'))
    await ended.owner.post(ended.at('/end'))
    await cancelled.owner.post(cancelled.at('/cancel'))
    for (const held of [live, ended, cancelled]) {
      const before = await read(held)
      for (const time of [{ scheduled_at: ahead(9) }, { duration_minutes: 5 }, { recurrence: 'FREQ=DAILY' }]) {
        const reply = await held.owner.patch(held.at(), { title: 'Not even this', ...time })
        expect(reply.status).toBe(409)
        expect(reply.body.code).toBe('invalid_transition')
      }
      expect(await read(held)).toEqual(before)
      const { scheduled_at } = before
      const reply = await held.owner.patch(held.at(), { title: 'Just this', scheduled_at })
      expect(reply.body).toEqual({ ...before, title: 'Just this', version: before.version + 1 })
    }
  })

  it('is impossible once it is over, and that is said also of a time that is past', async () => {
    const [live, cancelled] = [
      await world.make.meeting({ scheduled_at: ahead() }),
      await world.make.meeting({ scheduled_at: ahead() }),
    ]
    await live.owner.post(live.at('/start'))
    await cancelled.owner.post(cancelled.at('/cancel'))
    for (const held of [live, cancelled]) {
      const reply = await held.owner.patch(held.at(), { scheduled_at: ahead(-1) })
      expect([reply.status, reply.body.code]).toEqual([409, 'invalid_transition'])
    }
    const planned = await world.make.meeting({ scheduled_at: ahead() })
    expect((await planned.owner.patch(planned.at(), { scheduled_at: ahead(-1) })).status).toBe(422)
  })

  it('of a standing meeting is possible again when its session is over', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead(), recurrence: 'FREQ=DAILY' })
    await held.owner.post(held.at('/start'))
    await held.owner.post(held.at('/end'))
    const reply = await held.owner.patch(held.at(), { scheduled_at: ahead(2) })
    expect(reply.body).toMatchObject({ status: 'scheduled', scheduled_at: ahead(2), sequence: 1 })
  })
})

describe('a recurrence', () => {
  const series = { scheduled_at: '2190-03-01T09:00', recurrence: 'FREQ=WEEKLY;BYDAY=MO' }

  it('can be taken away: the one meeting is left', async () => {
    const held = await world.make.meeting(series)
    const reply = await held.owner.patch(held.at(), { recurrence: null })
    expect(reply.body).toMatchObject({ recurrence: null, kind: 'standing', sequence: 1 })
    expect((await held.owner.get(held.at('/occurrences?to=2191-01-01T00:00:00Z'))).body.data).toHaveLength(1)
    expect((await held.owner.patch(held.at(), { recurrence: null })).body).toEqual(reply.body)
  })

  it('can be changed, and given to a one-off', async () => {
    const held = await world.make.meeting({ scheduled_at: series.scheduled_at })
    const given = await held.owner.patch(held.at(), { recurrence: series.recurrence })
    expect(given.body).toMatchObject({ kind: 'standing', recurrence: series.recurrence, sequence: 1 })
    const changed = await held.owner.patch(held.at(), { recurrence: 'FREQ=DAILY;COUNT=3' })
    expect(changed.body).toMatchObject({ recurrence: 'FREQ=DAILY;COUNT=3', sequence: 2 })
    const { data } = (await held.owner.get(held.at('/occurrences?to=2191-01-01T00:00:00Z'))).body
    expect(data.map(({ starts_at }: { starts_at: string }) => starts_at.slice(0, 10))).toEqual([
      '2190-03-01',
      '2190-03-02',
      '2190-03-03',
    ])
  })

  it('has to fit the start, whichever of the two changes', async () => {
    const held = await world.make.meeting(series)
    for (const [path, value] of [
      ['scheduled_at', '2190-03-02T09:00'],
      ['recurrence', 'FREQ=WEEKLY;BYDAY=TU'],
    ] as const) {
      const reply = await held.owner.patch(held.at(), { [path]: value })
      expect(reply.status).toBe(422)
      expect(reply.body.errors).toMatchObject([{ path }])
    }
    const both = { scheduled_at: '2190-03-02T09:00', recurrence: 'FREQ=WEEKLY;BYDAY=TU' }
    expect((await held.owner.patch(held.at(), both)).body).toMatchObject({ sequence: 1, recurrence: both.recurrence })
  })
})
