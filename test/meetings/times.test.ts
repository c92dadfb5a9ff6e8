import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const meetings = '/api/meetings'

// Winter, so that both changes of the clocks lie ahead.
clock.advance(Math.round((Date.parse('2026-01-15T12:00:00Z') - clock.millis()) / 1000))

const create = async (body: object, time_zone = 'UTC') => {
  const me = await world.make.user()
  await me.patch('/api/auth/me', { time_zone })
  return me.post(meetings, { title: 'A meeting', ...body })
}

describe('the time of a meeting', () => {
  it.each([
    ['with an offset', { scheduled_at: '2026-03-29T09:00:00+02:00' }, '2026-03-29T07:00:00.000Z', 'UTC'],
    ['in UTC', { scheduled_at: '2026-03-29T09:00:00.250Z' }, '2026-03-29T09:00:00.250Z', 'UTC'],
    [
      'with an offset, whatever zone it is held in',
      { scheduled_at: '2026-07-01T09:00-04:00', time_zone: 'Asia/Tokyo' },
      '2026-07-01T13:00:00.000Z',
      'Asia/Tokyo',
    ],
    [
      'as it is on the wall of the zone in the body',
      { scheduled_at: '2026-07-01T09:00', time_zone: 'America/New_York' },
      '2026-07-01T13:00:00.000Z',
      'America/New_York',
    ],
    [
      'in the hour that the clocks show twice, the first time',
      { scheduled_at: '2026-10-25T02:30', time_zone: 'Europe/Berlin' },
      '2026-10-25T00:30:00.000Z',
      'Europe/Berlin',
    ],
  ])('may be given %s', async (_, body, scheduled_at, time_zone) => {
    const reply = await create(body)
    expect(reply.status).toBe(201)
    expect(reply.body).toMatchObject({ scheduled_at, time_zone, status: 'scheduled' })
  })

  it('may be given as it is on my own wall', async () => {
    const reply = await create({ scheduled_at: '2026-07-01T09:00' }, 'Asia/Kolkata')
    expect(reply.body).toMatchObject({ scheduled_at: '2026-07-01T03:30:00.000Z', time_zone: 'Asia/Kolkata' })
  })

  it.each([
    ['is not in the calendar', '2025-02-30', /such as 2026-03-29T09:00/],
    ['is not in the calendar', '2025-02-30T09:00', /day that is in the calendar/],
    ['is not in the calendar', '2026-02-30T09:00:00Z', /day that is in the calendar/],
    ['is past', '2026-01-15T11:59:59Z', /lie ahead/],
    ['is past', '2020-01-01T09:00', /lie ahead/],
    ['is skipped by the clocks', '2026-03-29T02:30', /does not exist in Europe\/Berlin/],
    ['is no time', 'tomorrow', /such as/],
    ['is no time', '', /such as/],
    ['is no time', '2026-03-29T24:00', /such as/],
    ['is no time', '1790000000', /such as/],
    ['is beyond all calendars', '9999-12-31T23:59:59Z', /year from 1970 to 9998/],
  ])('is refused when it %s: %j', async (_, scheduled_at, message) => {
    const reply = await create({ scheduled_at, time_zone: 'Europe/Berlin' })
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toEqual([{ path: 'scheduled_at', message: expect.stringMatching(message) }])
  })

  it('is refused when it is just now', async () => {
    expect((await create({ scheduled_at: clock.now() })).body.errors).toMatchObject([{ path: 'scheduled_at' }])
  })

  it('is refused when it is not a text', async () => {
    for (const scheduled_at of [1_790_000_000, null, {}]) {
      const reply = await create({ scheduled_at })
      expect(reply.status).toBe(422)
      expect(reply.body.errors).toMatchObject([{ path: 'scheduled_at' }])
    }
  })
})

describe('a recurrence', () => {
  const monday = { scheduled_at: '2026-03-23T09:00', time_zone: 'Europe/Berlin' }

  it('makes a meeting standing, and is written in one way', async () => {
    const reply = await create({ ...monday, recurrence: 'rrule:freq=weekly;byday=mo;count=010' })
    expect(reply.body).toMatchObject({ kind: 'standing', recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=10' })
    const said = await create({ ...monday, recurrence: 'FREQ=WEEKLY', kind: 'standing' })
    expect(said.body).toMatchObject({ kind: 'standing', recurrence: 'FREQ=WEEKLY' })
  })

  it('cannot be a one-off', async () => {
    const reply = await create({ ...monday, recurrence: 'FREQ=WEEKLY', kind: 'one_off' })
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toMatchObject([{ path: 'kind', message: expect.stringContaining('standing') }])
  })

  it.each([
    ['without a first time', {}, 'FREQ=WEEKLY', /needs scheduled_at/],
    ['that misses its first time', monday, 'FREQ=WEEKLY;BYDAY=TU', /first time is 2026-03-24T09:00:00\+01:00/],
    ['that is over before it begins', monday, 'FREQ=DAILY;UNTIL=20260301', /never takes place/],
    ['that never is', monday, 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', /never takes place/],
    ['finer than a day', monday, 'FREQ=HOURLY', /FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY/],
    ['at another time of day', monday, 'FREQ=DAILY;BYHOUR=10', /BYHOUR cannot be set/],
    ['with two ends', monday, 'FREQ=DAILY;COUNT=2;UNTIL=20270101', /COUNT or UNTIL, not both/],
    ['without a frequency', monday, 'BYDAY=MO', /FREQ is missing/],
    ['with an unknown part', monday, 'FREQ=DAILY;COLOUR=RED', /COLOUR is not a part/],
    ['that is no rule', monday, 'every monday', /without spaces/],
    ['of several lines', monday, 'FREQ=DAILY\nEXDATE:20260324', /on one line/],
    ['that says nothing', monday, '', /FREQ=WEEKLY/],
  ])('is refused %s, and says why', async (_, timing, recurrence, message) => {
    const reply = await create({ ...timing, recurrence })
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toEqual([{ path: 'recurrence', message: expect.stringMatching(message) }])
  })

  it.each([
    ['Europe/Berlin', '+01:00', '+02:00', '2026-03-29', '2026-10-25'],
    ['America/New_York', '-05:00', '-04:00', '2026-03-08', '2026-11-01'],
  ])('in %s stays at nine o’clock when the clocks change', async (time_zone, winter, summer, spring, autumn) => {
    const series = { scheduled_at: '2026-03-01T09:00', time_zone, recurrence: 'FREQ=WEEKLY', duration_minutes: 90 }
    const { owner, at } = await world.make.meeting(series)
    const year = 'from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z&limit=100'
    const { data } = (await owner.get(at(`/occurrences?${year}`))).body
    expect(data).toHaveLength(44)
    for (const { starts_at, ends_at, local_time } of data) {
      const day = local_time.slice(0, 10)
      const offset = spring <= day && day < autumn ? summer : winter
      expect(local_time).toBe(`${day}T09:00:00${offset}`)
      expect(starts_at).toBe(new Date(local_time).toISOString())
      expect(Date.parse(ends_at) - Date.parse(starts_at)).toBe(90 * 60_000)
    }
    const days = data.map(({ local_time }: { local_time: string }) => local_time.slice(0, 10))
    expect(days).toEqual(expect.arrayContaining([spring, autumn]))
    expect(new Set(days).size).toBe(44)
  })
})

describe('the occurrences', () => {
  it('of a one-off are the one, where it is asked for', async () => {
    const { owner, at } = await world.make.meeting({ scheduled_at: '2026-07-01T09:00', time_zone: 'Europe/Berlin' })
    const once = {
      starts_at: '2026-07-01T07:00:00.000Z',
      ends_at: '2026-07-01T08:00:00.000Z',
      local_time: '2026-07-01T09:00:00+02:00',
    }
    expect((await owner.get(at('/occurrences'))).body).toEqual({ data: [once] })
    expect((await owner.get(at('/occurrences?from=2026-07-01T07:00:00Z'))).body.data).toEqual([once])
    expect((await owner.get(at('/occurrences?from=2026-07-01T07:00:01Z'))).body.data).toEqual([])
    expect((await owner.get(at('/occurrences?to=2026-07-01T07:00:00Z'))).body.data).toEqual([])
  })

  it('of a series are the next twenty, if nothing is said', async () => {
    const { owner, at } = await world.make.meeting({ scheduled_at: '2026-02-01T09:00', recurrence: 'FREQ=DAILY' })
    const { data } = (await owner.get(at('/occurrences'))).body
    expect(data).toHaveLength(20)
    expect(data[0].starts_at).toBe('2026-02-01T09:00:00.000Z')
    expect((await owner.get(at('/occurrences?limit=3&from=2026-12-31T12:00:00Z'))).body.data).toMatchObject([
      { starts_at: '2027-01-01T09:00:00.000Z' },
      { starts_at: '2027-01-02T09:00:00.000Z' },
      { starts_at: '2027-01-03T09:00:00.000Z' },
    ])
  })

  it('of a meeting without a time are none', async () => {
    const { owner, at } = await world.make.meeting()
    expect((await owner.get(at('/occurrences'))).body).toEqual({ data: [] })
  })

  it('are for who is invited, and for nobody else', async () => {
    const held = await world.make.meeting({ scheduled_at: '2026-07-01T09:00' })
    const invitee = await world.make.invitee(held, { answer: 'none' })
    const stranger = await world.make.user()
    const guest = await world.make.guest(held)
    expect((await invitee.get(held.at('/occurrences'))).body.data).toHaveLength(1)
    expect((await stranger.get(held.at('/occurrences'))).status).toBe(404)
    expect((await guest.get(held.at('/occurrences'))).body.code).toBe('not_admitted')
  })

  it.each(['from=yesterday', 'to=2026-07-01', 'limit=0', 'limit=101', 'until=2026-07-01T00:00:00Z'])(
    'refuse the query %s',
    async query => {
      const { owner, at } = await world.make.meeting()
      expect((await owner.get(at(`/occurrences?${query}`))).status).toBe(422)
    },
  )
})
