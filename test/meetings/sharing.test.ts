import ICAL from 'ical.js'
import { describe, expect, it } from 'vitest'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const ahead = () => clock.in(3600)

describe('the calendar file of a meeting', () => {
  async function read({ owner, at }: Pick<Held, 'owner' | 'at'>) {
    const reply = await owner.get(at('/calendar.ics'))
    expect(reply.status).toBe(200)
    const calendar = new ICAL.Component(ICAL.parse(reply.text))
    const event = calendar.getFirstSubcomponent('vevent')
    if (!event) throw new Error('No event')
    const zone = calendar.getFirstSubcomponent('vtimezone')
    if (zone) ICAL.TimezoneService.register(zone)
    const value = (name: string) => event.getFirstPropertyValue(name)
    return { reply, calendar, event, value, start: new ICAL.Event(event).startDate }
  }

  it('says what, when and where on the wall, and names nobody’s address', async () => {
    const series = { scheduled_at: '2190-03-01T09:00', time_zone: 'Europe/Berlin', recurrence: 'FREQ=WEEKLY' }
    const held = await world.make.meeting({ ...series, title: 'Plans; big, and “small”', description: 'One\nTwo' })
    const invitee = await world.make.invitee(held)
    const { reply, calendar, event, value, start } = await read(held)
    expect(reply.headers['content-type']).toBe('text/calendar; charset=utf-8')
    expect(reply.headers['content-disposition']).toContain('meeting.ics')
    expect(calendar.getFirstPropertyValue('method')).toBe('PUBLISH')
    expect(value('summary')).toBe('Plans; big, and “small”')
    expect(value('description')).toBe('One\nTwo')
    expect(start.toString()).toBe('2190-03-01T09:00:00')
    expect(start.toJSDate().toISOString()).toBe(held.meeting.scheduled_at)
    expect(String(value('rrule'))).toBe('FREQ=WEEKLY')
    expect(value('status')).toBe('CONFIRMED')
    expect(event.getFirstProperty('attendee')).toBeNull()
    for (const { user } of [held.owner, invitee]) expect(reply.text).not.toContain(user.email)
  })

  it('is of one event for ever, whose sequence rises with each change of its time', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const first = await read(held)
    expect(first.value('sequence')).toBe(0)
    await held.owner.patch(held.at(), { title: 'Renamed' })
    const renamed = await read(held)
    expect([renamed.value('sequence'), renamed.value('summary')]).toEqual([0, 'Renamed'])
    for (const sequence of [1, 2]) {
      const scheduled_at = clock.in(3600 * (sequence + 1))
      await held.owner.patch(held.at(), { scheduled_at })
      const { value, start } = await read(held)
      expect(value('sequence')).toBe(sequence)
      expect(start.toJSDate().toISOString().slice(0, 19)).toBe(scheduled_at.slice(0, 19))
      expect(value('uid')).toBe(first.value('uid'))
    }
    await held.owner.post(held.at('/cancel'))
    const cancelled = await read(held)
    expect(cancelled.value('status')).toBe('CANCELLED')
    expect(cancelled.value('sequence')).toBe(3)
    expect(cancelled.value('uid')).toBe(first.value('uid'))
    expect((await read(await world.make.meeting())).value('uid')).not.toBe(first.value('uid'))
  })

  it('is for who is invited, and for nobody else', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const invitee = await world.make.invitee(held, { answer: 'none' })
    const stranger = await world.make.user()
    const guest = await world.make.guest(held)
    expect((await read({ owner: invitee, at: held.at })).value('sequence')).toBe(0)
    expect((await stranger.get(held.at('/calendar.ics'))).status).toBe(404)
    expect((await guest.get(held.at('/calendar.ics'))).body.code).toBe('not_admitted')
    expect((await world.anyone.get(held.at('/calendar.ics'))).status).toBe(401)
  })
})

describe('a join code', () => {
  const card = ({ meeting }: Pick<Held, 'meeting'>) => `/api/join/${meeting.join_code}`

  it('has the card of its meeting behind it, and nothing but that', async () => {
    const owner = await world.make.user({ name: 'Ada' })
    const told = { title: 'Tea', scheduled_at: ahead(), time_zone: 'Asia/Tokyo', lobby: true }
    const held = await world.make.meeting({ ...told, description: 'Secret', metadata: { a: 'secret' } }, owner)
    const reply = await world.anyone.get(card(held))
    expect(reply.status).toBe(200)
    expect(reply.body).toEqual({ ...told, owner_name: 'Ada' })
    const instant = await world.make.meeting({}, owner)
    expect((await world.anyone.get(card(instant))).body).toEqual({
      title: 'A meeting',
      scheduled_at: null,
      time_zone: 'UTC',
      owner_name: 'Ada',
      lobby: false,
    })
  })

  it('may be typed in capitals, and leads into every tenant', async () => {
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const { meeting } = await world.make.meeting({ title: 'Far away' }, foreigner)
    const reply = await world.anyone.get(`/api/join/${meeting.join_code.toUpperCase()}`)
    expect(reply.body.title).toBe('Far away')
  })

  it('of a meeting that is over is gone', async () => {
    const ended = await world.make.meeting()
    await ended.owner.post(ended.at('/end'))
    const cancelled = await world.make.meeting({ scheduled_at: ahead() })
    await cancelled.owner.post(cancelled.at('/cancel'))
    for (const held of [ended, cancelled]) {
      for (const reply of [
        await world.anyone.get(card(held)),
        await world.anyone.post(card(held), { display_name: 'Guest' }),
      ]) {
        expect(reply.status).toBe(410)
        expect(reply.body.code).toBe('meeting_gone')
      }
    }
  })

  it.each(['0000000000000000', 'x', 'x'.repeat(64), '%25', 'mtg_1'])('that is %s is nobody’s', async code => {
    expect((await world.anyone.get(`/api/join/${code}`)).status).toBe(404)
    expect((await world.anyone.post(`/api/join/${code}`, { display_name: 'Guest' })).status).toBe(404)
  })

  it('cannot be guessed: sixteen letters of thirty-two, each time others', async () => {
    const me = await world.make.user()
    const made = await Promise.all(Array.from({ length: 64 }, () => world.make.meeting({}, me)))
    const codes = made.map(({ meeting }) => meeting.join_code)
    for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/)
    expect(new Set(codes).size).toBe(64)
    // 80 bits, as long as all of the letters are used: of 1024 drawn at random none is missing.
    expect(new Set(codes.join('')).size).toBe(32)
    for (let place = 0; place < 16; place++) {
      expect(new Set(codes.map(code => code[place])).size).toBeGreaterThan(8)
    }
  })

  it('opens nothing to guests when the meeting is for invited people only', async () => {
    const held = await world.make.meeting({ guests: false })
    const knock = () => world.anyone.post(card(held), { display_name: 'Guest' })
    const refused = await knock()
    expect(refused.status).toBe(403)
    expect(refused.body.code).toBe('guests_refused')
    expect((await world.anyone.get(card(held))).status).toBe(200)
    expect((await (await world.make.invitee(held)).post(held.at('/join'), {})).status).toBe(201)
    await held.owner.patch(held.at(), { guests: true })
    expect((await knock()).status).toBe(202)
  })
})
