import { tzlib_get_ical_block } from 'timezones-ical-library'
import { instantAtWall, wallAt } from '../../kernel/local-time.ts'

/**
 * Meetings as calendars read them (RFC 5545 and 5546). Written by hand: what people type reaches a file in three ways
 * only, `text`, `quoted` and `folded`, and each of them keeps it from becoming a line of its own.
 */
export interface CalendarEvent {
  uid: string
  sequence: number
  title: string
  description: string
  starts_at: string
  duration_minutes: number
  time_zone: string
  /** As `readRule` wrote it. */
  recurrence: string | null
  cancelled: boolean
  organizer: { name: string; email: string }
  attendees: Attendee[]
  url: string | null
  created_at: string
  updated_at: string
}

interface Attendee {
  name: string | null
  email: string
  role: 'host' | 'co_host' | 'participant' | 'viewer'
  status: 'pending' | 'accepted' | 'rejected' | 'proposed'
}

const LINE_END = /\r\n|[\r\n\u2028\u2029]/g
const PARTSTAT = { pending: 'NEEDS-ACTION', accepted: 'ACCEPTED', rejected: 'DECLINED', proposed: 'TENTATIVE' }

export function toICalendar(event: CalendarEvent, method: 'PUBLISH' | 'REQUEST' | 'CANCEL', now: string): string {
  const { starts_at, organizer, attendees, description, recurrence, url } = event
  const zone = zoneOf(event)
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Parley//Parley//EN',
    `METHOD:${method}`,
    ...(zone?.lines ?? []),
    'BEGIN:VEVENT',
    `UID:${text(event.uid)}`,
    `SEQUENCE:${event.sequence}`,
    `DTSTAMP:${utc(now)}`,
    `CREATED:${utc(event.created_at)}`,
    `LAST-MODIFIED:${utc(event.updated_at)}`,
    zone ? `DTSTART;TZID=${zone.tzid}:${local(wallAt(starts_at, event.time_zone))}` : `DTSTART:${utc(starts_at)}`,
    `DURATION:PT${event.duration_minutes}M`, // an end on the wall would be wrong where the clocks change before it
    ...(recurrence === null ? [] : [`RRULE:${recurrence}`]),
    `STATUS:${event.cancelled || method === 'CANCEL' ? 'CANCELLED' : 'CONFIRMED'}`,
    `SUMMARY:${text(event.title)}`,
    ...(description === '' ? [] : [`DESCRIPTION:${text(description)}`]),
    `ORGANIZER;CN=${quoted(organizer.name)}:mailto:${organizer.email}`,
    ...(method === 'PUBLISH' ? [] : attendees.map(attendeeLine)), // what is published invites nobody, and names nobody
    ...(url === null ? [] : [`URL:${url}`]),
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map(line => `${folded(line)}\r\n`).join('')
}

function attendeeLine({ name, email, role, status }: Attendee): string {
  const called = name === null ? '' : `;CN=${quoted(name)}`
  const asked = status === 'pending' ? ';RSVP=TRUE' : ''
  const part = role === 'viewer' ? 'OPT-PARTICIPANT' : 'REQ-PARTICIPANT'
  return `ATTENDEE${called};ROLE=${part};PARTSTAT=${PARTSTAT[status]}${asked}:mailto:${email}`
}

/**
 * Undefined where UTC says it as well or better: in UTC itself, and in the hour that the clocks show twice, whose second
 * showing a local time cannot name.
 */
function zoneOf({ starts_at, time_zone }: CalendarEvent): { tzid: string; lines: string[] } | undefined {
  if (instantAtWall(wallAt(starts_at, time_zone), time_zone) !== starts_at) return undefined
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: time_zone }).resolvedOptions()
  if (timeZone === 'UTC') return undefined
  const [block, tzid] = tzlib_get_ical_block(timeZone) // its own name for the zone: old names are one zone with new ones
  return block && tzid ? { tzid: tzid.replace('TZID=', ''), lines: block.split('\r\n') } : undefined
}

const utc = (instant: string) => `${local(Date.parse(instant))}Z`
const local = (wall: number) => new Date(wall).toISOString().slice(0, 19).replace(/[-:]/g, '')

/** A value of type TEXT. */
const text = (value: string) => value.replace(/[\\;,]/g, '\\$&').replace(LINE_END, '\\n')

/** The value of a parameter, by RFC 6868: a plain backslash would not keep a quote from ending it. */
const quoted = (value: string) => `"${value.replaceAll('^', '^^').replaceAll('"', "^'").replace(LINE_END, '^n')}"`

/** At most 75 octets in a line and no character cut in two; what is left of control characters goes. */
function folded(line: string): string {
  let [done, octets] = ['', 0]
  for (const character of line.toWellFormed().replace(/[^\P{Cc}\t]/gu, '')) {
    const size = Buffer.byteLength(character)
    if (octets + size > 75) [done, octets] = [`${done}\r\n `, 1]
    done += character
    octets += size
  }
  return done
}
