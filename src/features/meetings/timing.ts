import { instantOf } from '../../kernel/local-time.ts'
import { Invalid } from '../../kernel/problem.ts'
import { firstOccurrence, lastOccurrence } from './recurrence.ts'
import { readRule } from './rule.ts'
import type { UpdateMeeting } from './schema.ts'

/** When a meeting is. `scheduled_at` is the first of a series, or null for one that just began. */
export interface Timing {
  scheduled_at: string | null
  duration_minutes: number
  time_zone: string
  recurrence: string | null
}

/** For who looks just whether a time is another one. */
export const BEFORE_ALL = ''

export const FOREVER = '9999-12-31T23:59:59.999Z'

/** Reads a time that somebody gave, which has to lie ahead. */
export function readTimeAhead(now: string, text: string, time_zone: string): string {
  const read = instantOf(text, time_zone)
  if ('fault' in read) throw invalid('scheduled_at', read.fault)
  if (read.instant <= now) throw invalid('scheduled_at', 'must lie ahead')
  return read.instant
}

/** Reads a rule, which has to have its first time at the meeting's own. */
export function readRecurrence(text: string, timing: Timing, path = 'recurrence'): string {
  if (timing.scheduled_at === null) throw invalid(path, 'needs scheduled_at, the time of the first meeting')
  const read = readRule(text, timing.time_zone)
  if ('fault' in read) throw invalid(path, read.fault)
  const first = firstOccurrence({ ...timing, scheduled_at: timing.scheduled_at, recurrence: read.rule })
  if (!first) throw invalid(path, 'never takes place')
  if (first.starts_at !== timing.scheduled_at) {
    const other = path === 'recurrence' ? 'scheduled_at' : 'the recurrence'
    throw invalid(path, `does not fit ${other}: its first time is ${first.local_time}`)
  }
  return read.rule
}

/** Undefined when the change leaves the time as it is. */
export function changedTiming(now: string, meeting: Timing, body: UpdateMeeting): Timing | undefined {
  const time_zone = body.time_zone ?? meeting.time_zone
  const scheduled_at =
    body.scheduled_at === undefined || isSame(body.scheduled_at, time_zone, meeting)
      ? meeting.scheduled_at
      : readTimeAhead(now, body.scheduled_at, time_zone)
  const duration_minutes = body.duration_minutes ?? meeting.duration_minutes
  const timing = { scheduled_at, duration_minutes, time_zone, recurrence: null }
  const rule = body.recurrence === undefined ? meeting.recurrence : body.recurrence
  const blamed = body.recurrence === undefined ? 'scheduled_at' : 'recurrence'
  const recurrence = rule === null ? null : readRecurrence(rule, timing, blamed)
  const same =
    scheduled_at === meeting.scheduled_at &&
    duration_minutes === meeting.duration_minutes &&
    time_zone === meeting.time_zone &&
    recurrence === meeting.recurrence
  return same ? undefined : { ...timing, recurrence }
}

/** The time that it has anyhow may be given again, though it is past by now. */
function isSame(text: string, time_zone: string, { scheduled_at }: Timing): boolean {
  const read = instantOf(text, time_zone)
  return 'instant' in read && read.instant === scheduled_at
}

/** From when until when it is in somebody's agenda. */
export function placeInAgenda(
  { scheduled_at, duration_minutes, time_zone, recurrence }: Timing,
  { kind, created_at }: { kind: 'one_off' | 'standing'; created_at: string },
) {
  if (scheduled_at === null) {
    const over_at = kind === 'standing' ? FOREVER : endOf(created_at, duration_minutes)
    return { starts_at: created_at, over_at }
  }
  if (recurrence === null) return { starts_at: scheduled_at, over_at: endOf(scheduled_at, duration_minutes) }
  const last = lastOccurrence({ recurrence, scheduled_at, time_zone })
  return { starts_at: scheduled_at, over_at: last ? endOf(last.starts_at, duration_minutes) : FOREVER }
}

export const endOf = (starts_at: string, duration_minutes: number): string =>
  new Date(Date.parse(starts_at) + duration_minutes * 60_000).toISOString()

const invalid = (path: string, message: string) => Invalid({ errors: [{ path, message }] })
