import ICAL from 'ical.js'
import { describe, expect, it } from 'vitest'
import { type CalendarEvent, toICalendar } from '../../src/features/meetings/calendar.ts'
import { occurrencesBetween } from '../../src/features/meetings/recurrence.ts'

const NOW = '2026-01-15T10:20:30.400Z'

const weekly: CalendarEvent = {
  uid: 'mtg_019a9f0b7c3e7d5ea0c4b81f2d6e9a37@parley',
  sequence: 3,
  title: 'Weekly',
  description: 'Who does what',
  starts_at: '2026-03-22T08:00:00.000Z',
  duration_minutes: 45,
  time_zone: 'Europe/Berlin',
  recurrence: 'FREQ=WEEKLY;COUNT=60',
  cancelled: false,
  organizer: { name: 'Ada Lovelace', email: 'parley@example.com' },
  attendees: [
    { name: 'Grace Hopper', email: 'grace@example.com', role: 'host', status: 'accepted' },
    { name: null, email: 'alan@example.com', role: 'participant', status: 'pending' },
    { name: 'Kurt', email: 'kurt@example.com', role: 'viewer', status: 'rejected' },
    { name: 'Emmy', email: 'emmy@example.com', role: 'co_host', status: 'proposed' },
  ],
  url: 'https://parley.example.com/meetings/abc?x=1,2;3#top',
  created_at: '2026-01-02T03:04:05.678Z',
  updated_at: '2026-01-10T00:00:00.000Z',
}

function read(file: string) {
  const calendar = new ICAL.Component(ICAL.parse(file))
  const [event, ...others] = calendar.getAllSubcomponents('vevent')
  if (!event || others.length > 0) throw new Error('not one event')
  const zone = calendar.getFirstSubcomponent('vtimezone')
  if (zone) ICAL.TimezoneService.register(zone)
  const value = (name: string) => event.getFirstPropertyValue(name)
  return { calendar, event, zone, value, start: new ICAL.Event(event).startDate }
}

const person = (property: ICAL.Property | null) => ({
  cn: property?.getParameter('cn'),
  address: property?.getFirstValue(),
})

const instant = (time: ICAL.Time) => time.toJSDate().toISOString()

function expanded(file: string, many: number): string[] {
  const dates = new ICAL.Event(read(file).event).iterator()
  return Array.from({ length: many }, () => dates.next())
    .filter(time => time)
    .map(instant)
}

describe('a meeting in a calendar', () => {
  it('reads back as it went in', () => {
    const { calendar, event, value, start } = read(toICalendar(weekly, 'REQUEST', NOW))
    expect(calendar.getFirstPropertyValue('version')).toBe('2.0')
    expect(calendar.getFirstPropertyValue('prodid')).toBe('-//Parley//Parley//EN')
    expect(calendar.getFirstPropertyValue('method')).toBe('REQUEST')
    expect(value('uid')).toBe(weekly.uid)
    expect(value('sequence')).toBe(3)
    expect(value('summary')).toBe('Weekly')
    expect(value('description')).toBe('Who does what')
    expect(value('status')).toBe('CONFIRMED')
    expect(value('url')).toBe(weekly.url)
    expect(String(value('dtstamp'))).toBe('2026-01-15T10:20:30Z')
    expect(String(value('created'))).toBe('2026-01-02T03:04:05Z')
    expect(String(value('last-modified'))).toBe('2026-01-10T00:00:00Z')
    expect(String(value('rrule'))).toBe(weekly.recurrence)
    expect(instant(start)).toBe(weekly.starts_at)
    expect(start.toString()).toBe('2026-03-22T09:00:00')
    expect(instant(new ICAL.Event(event).endDate)).toBe('2026-03-22T08:45:00.000Z')
    expect(person(event.getFirstProperty('organizer'))).toEqual({
      cn: 'Ada Lovelace',
      address: 'mailto:parley@example.com',
    })
  })

  it('asks those who have not answered, and tells what the others said', () => {
    const { event } = read(toICalendar(weekly, 'REQUEST', NOW))
    const guests = event.getAllProperties('attendee').map(property => ({
      ...person(property),
      role: property.getParameter('role'),
      partstat: property.getParameter('partstat'),
      rsvp: property.getParameter('rsvp'),
    }))
    const guest = (cn: string | undefined, name: string, role: string, partstat: string, rsvp?: string) => {
      return { cn, address: `mailto:${name}@example.com`, role, partstat, rsvp }
    }
    expect(guests).toEqual([
      guest('Grace Hopper', 'grace', 'REQ-PARTICIPANT', 'ACCEPTED'),
      guest(undefined, 'alan', 'REQ-PARTICIPANT', 'NEEDS-ACTION', 'TRUE'),
      guest('Kurt', 'kurt', 'OPT-PARTICIPANT', 'DECLINED'),
      guest('Emmy', 'emmy', 'REQ-PARTICIPANT', 'TENTATIVE'),
    ])
  })

  it('names no guest where it is only published', () => {
    const { calendar, event } = read(toICalendar(weekly, 'PUBLISH', NOW))
    expect(calendar.getFirstPropertyValue('method')).toBe('PUBLISH')
    expect(event.getAllProperties('attendee')).toEqual([])
  })

  it('is cancelled when it was, and when this is what the file says', () => {
    const cancelled = { ...weekly, cancelled: true, sequence: 4 }
    expect(read(toICalendar(cancelled, 'PUBLISH', NOW)).value('status')).toBe('CANCELLED')
    const { calendar, value } = read(toICalendar(weekly, 'CANCEL', NOW))
    expect(calendar.getFirstPropertyValue('method')).toBe('CANCEL')
    expect(value('status')).toBe('CANCELLED')
    expect(value('uid')).toBe(read(toICalendar(cancelled, 'REQUEST', NOW)).value('uid'))
  })

  it('leaves out what it has not', () => {
    const { event } = read(toICalendar({ ...weekly, description: '', url: null, recurrence: null }, 'PUBLISH', NOW))
    for (const name of ['description', 'url', 'rrule']) expect(event.hasProperty(name)).toBe(false)
  })

  it.each(['UTC', 'Etc/UTC', 'GMT'])('needs no zone in %s', time_zone => {
    const file = toICalendar({ ...weekly, time_zone }, 'PUBLISH', NOW)
    expect(read(file).zone).toBeNull()
    expect(file).toContain('\r\nDTSTART:20260322T080000Z\r\n')
    expect(read(file).start.zone?.tzid).toBe('UTC')
  })

  it('brings its zone under one name, whatever it was called', () => {
    for (const time_zone of ['Asia/Calcutta', 'Asia/Kolkata', 'ASIA/KOLKATA']) {
      const { zone, event, start } = read(toICalendar({ ...weekly, time_zone }, 'PUBLISH', NOW))
      expect(zone?.getFirstPropertyValue('tzid')).toBe('Asia/Kolkata')
      expect(event.getFirstProperty('dtstart')?.getParameter('tzid')).toBe('Asia/Kolkata')
      expect(instant(start)).toBe(weekly.starts_at)
    }
  })

  it('is written in UTC in the second of two hours that look alike', () => {
    const once = { ...weekly, recurrence: null }
    const first = toICalendar({ ...once, starts_at: '2026-10-25T00:30:00.000Z' }, 'PUBLISH', NOW)
    expect(first).toContain('\r\nDTSTART;TZID=Europe/Berlin:20261025T023000\r\n')
    const second = toICalendar({ ...once, starts_at: '2026-10-25T01:30:00.000Z' }, 'PUBLISH', NOW)
    expect(second).toContain('\r\nDTSTART:20261025T013000Z\r\n')
    expect(read(second).zone).toBeNull()
  })

  it('lasts as long as it should while the clocks change', () => {
    const night = { ...weekly, recurrence: null, starts_at: '2026-10-24T23:30:00.000Z', duration_minutes: 120 }
    const { event } = read(toICalendar(night, 'PUBLISH', NOW))
    expect(new ICAL.Event(event).duration.toSeconds()).toBe(7200)
  })
})

describe('a series in a calendar is on the days that it is on here', () => {
  it.each([
    ['FREQ=WEEKLY', '2026-03-22T08:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=WEEKLY', '2026-03-01T14:00:00.000Z', 'America/New_York'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU', '2026-01-06T08:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=WEEKLY;BYDAY=MO', '2026-01-04T23:00:00.000Z', 'Asia/Tokyo'],
    ['FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20260410T070000Z', '2026-03-02T08:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=DAILY;COUNT=10', '2026-03-25T02:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=DAILY;COUNT=10', '2026-10-20T01:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=MONTHLY;BYDAY=-1FR', '2026-01-30T20:30:00.000Z', 'Australia/Sydney'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31T08:00:00.000Z', 'Europe/London'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-01-30T08:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=MONTHLY', '2026-01-31T08:00:00.000Z', 'Asia/Kathmandu'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2028-02-29T08:00:00.000Z', 'Europe/Berlin'],
    ['FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', '2026-11-26T15:00:00.000Z', 'America/Chicago'],
    ['FREQ=WEEKLY;COUNT=30', '2026-03-22T08:00:00.000Z', 'UTC'],
  ])('%s from %s in %s', (recurrence, starts_at, time_zone) => {
    const series = { recurrence, scheduled_at: starts_at, time_zone }
    const here = occurrencesBetween(series, starts_at, '2060-01-01T00:00:00.000Z', 60).map(one => one.starts_at)
    const there = expanded(toICalendar({ ...weekly, recurrence, starts_at, time_zone }, 'REQUEST', NOW), 60)
    expect(here.length).toBeGreaterThanOrEqual(8)
    expect(there.slice(0, here.length)).toEqual(here)
    if (/COUNT|UNTIL/.test(recurrence)) expect(there).toHaveLength(here.length)
  })
})

describe('what people type', () => {
  const nasty = [
    'semi;colon, comma: and \\backslash\\',
    '"quoted" ^n ^\' ^^ caret',
    '":mailto:evil@example.com',
    'END:VEVENT',
    'a;CN="b";X=1:2,3',
    '👩‍👩‍👧‍👦 Ünïcödé 日本語 עברית',
    '𝄞'.repeat(120),
    `${'ä'.repeat(200)} end`,
    ' leading and trailing ',
    'tab\there',
  ]
  const broken = [
    'line\r\nX-EVIL:1',
    'line\nATTENDEE:mailto:evil@example.com',
    'line\rEND:VCALENDAR',
    'line\u2028X-EVIL:1',
  ]
  const flat = (value: string) => value.replace(/\r\n|[\r\u2028]/g, '\n')
  const typed = (value: string): CalendarEvent => ({
    ...weekly,
    title: value,
    description: `${value}\n\n${value}`,
    organizer: { ...weekly.organizer, name: value },
    attendees: [{ name: value, email: 'o.hara+x@example.com', role: 'participant', status: 'pending' }],
  })

  it.each([...nasty, ...broken])('stays what it is: %j', written => {
    const { calendar, event, value } = read(toICalendar(typed(written), 'REQUEST', NOW))
    expect(value('summary')).toBe(flat(written))
    expect(value('description')).toBe(flat(`${written}\n\n${written}`))
    expect(person(event.getFirstProperty('organizer'))).toEqual({
      cn: flat(written),
      address: 'mailto:parley@example.com',
    })
    const guests = event.getAllProperties('attendee')
    expect(guests.map(person)).toEqual([{ cn: flat(written), address: 'mailto:o.hara+x@example.com' }])
    expect(guests[0]?.getParameter('partstat')).toBe('NEEDS-ACTION')
    expect(calendar.getAllSubcomponents().map(({ name }) => name)).toEqual(['vtimezone', 'vevent'])
    const usual = read(toICalendar(typed('plain'), 'REQUEST', NOW)).event
    expect(event.getAllProperties().map(({ name }) => name)).toEqual(usual.getAllProperties().map(({ name }) => name))
  })

  it('may hold what elsewhere means a new line', () => {
    const { value } = read(toICalendar({ ...weekly, title: 'C:\\new\\Name', description: '\\\\n' }, 'REQUEST', NOW))
    expect(value('summary')).toBe('C:\\new\\Name')
    expect(value('description')).toBe('\\\\n')
  })

  it('loses its control characters, and half of a character becomes a sign for it', () => {
    const { value } = read(toICalendar(typed('be\u0007e\u0000p\u0085 \ud83d!'), 'REQUEST', NOW))
    expect(value('summary')).toBe('beep \ufffd!')
  })

  it('makes no line of its own where a line should hold no text at all', () => {
    const evil = '\r\nX-EVIL:1'
    const attendees = weekly.attendees.map(guest => ({ ...guest, email: `a@example.com${evil}` }))
    const file = toICalendar(
      { ...weekly, attendees, uid: `u${evil}`, url: `https://x${evil}`, recurrence: `FREQ=DAILY${evil}` },
      'REQUEST',
      NOW,
    )
    expect(file).not.toMatch(/^X-EVIL/m)
  })

  it.each([...nasty, ...broken])('is in lines of 75 octets at most, none of which cuts a character: %j', written => {
    const file = toICalendar(typed(written), 'REQUEST', NOW)
    expect(file).toMatch(/END:VCALENDAR\r\n$/)
    expect(file.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    for (const line of file.split('\r\n')) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
      expect(line.isWellFormed()).toBe(true)
    }
  })
})
