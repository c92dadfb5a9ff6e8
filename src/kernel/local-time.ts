import { DateTime, IANAZone } from 'luxon'

/**
 * Between instants and what clocks on the wall show. A wall time is a number of milliseconds here, counted as if the
 * wall hung in UTC, so that calendars can be computed without a zone.
 */
const DAY_MS = 86_400_000

const TIME = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/

/** Reads a time that says its offset, or a local one of that zone; of two that look alike, the earlier. */
export function instantOf(text: string, time_zone: string): { instant: string } | { fault: string } {
  const [form, offset] = TIME.exec(text.toUpperCase()) ?? []
  if (form === undefined) return { fault: 'must be a time, such as 2026-03-29T09:00 or 2026-03-29T07:00:00Z' }
  const read = DateTime.fromISO(form, { zone: 'utc' })
  if (!read.isValid) return { fault: 'must be a day that is in the calendar' }
  if (!IANAZone.isValidZone(time_zone)) return { fault: 'must be in a time zone, such as Europe/Berlin' }
  const instant = offset ? read.toJSDate().toISOString() : instantAtWall(read.toMillis(), time_zone)
  // Years of more than four digits are written with a sign, which sorts before every digit.
  if (instant < '1970' || instant >= '9999') return { fault: 'must be in a year from 1970 to 9998' }
  if (!offset && wallAt(instant, time_zone) !== read.toMillis()) {
    return { fault: `does not exist in ${time_zone}: the clocks are put forward over it` }
  }
  return { instant }
}

/** `2026-03-29T09:00:00+02:00` */
export function localTimeOf(instant: string, time_zone: string): string {
  const offset = IANAZone.create(time_zone).formatOffset(Date.parse(instant), 'short')
  return new Date(wallAt(instant, time_zone)).toISOString().slice(0, 19) + offset
}

export function wallAt(instant: string, time_zone: string): number {
  const millis = Date.parse(instant)
  return millis + offsetAt(millis, time_zone)
}

/** A wall time that the clocks skip moves forward by what they skip; of one that they show twice, the first counts. */
export function instantAtWall(wall: number, time_zone: string): string {
  const before = offsetAt(wall - DAY_MS, time_zone)
  const after = offsetAt(wall + DAY_MS, time_zone)
  const shown = [before, after].find(offset => offsetAt(wall - offset, time_zone) === offset)
  return new Date(wall - (shown ?? before)).toISOString()
}

const offsetAt = (millis: number, time_zone: string) => IANAZone.create(time_zone).offset(millis) * 60_000
