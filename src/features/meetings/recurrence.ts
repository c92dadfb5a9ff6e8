import { instantAtWall, localTimeOf, wallAt } from '../../kernel/local-time.ts'
import { untilOf, WEEKDAY, WEEKDAYS } from './rule.ts'

/**
 * Meetings that come again, by the rules of RFC 5545, 3.3.10. No rule is finer than a day, so a series is a row of days
 * with one time on the wall. Its days are walked one by one and each is asked whether it fits: whatever the rule says,
 * that costs a fraction of a microsecond for a day, and no more than `REACH` days are walked.
 *
 * The RFC leaves open what a start means that its own rule does not give. Here only the rule counts; whoever stores a
 * series has `firstOccurrence` to compare the start with. Where the clocks skip the time of a day, the RFC leaves the day
 * out; here people meet, as much later as the clocks are put forward.
 */
export interface Series {
  /** As `readRule` wrote it. */
  recurrence: string
  scheduled_at: string
  time_zone: string
}

export interface Occurrence {
  starts_at: string
  /** `2026-03-29T09:00:00+02:00` */
  local_time: string
}

const DAY_MS = 86_400_000
/** A hundred years. */
const REACH = 36_525
const LAST_DAY = Date.UTC(9998, 11, 30) / DAY_MS

/** Those that start at `from` or later, and before `to`. */
export function occurrencesBetween(series: Series, from: string, to: string, limit: number): Occurrence[] {
  const plan = planOf(series)
  const [first, last] = [dayAt(from, series) - 1, dayAt(to, series) + 1] // a time that is moved may end up a day later
  const found: Occurrence[] = []
  for (const day of daysOf(plan, first)) {
    if (day < first) continue
    if (day > last || found.length >= limit) break
    const occurrence = occurrenceOn(day, plan)
    const { starts_at } = occurrence
    // Where a whole day was skipped, its meeting has moved to where the next is.
    if (from <= starts_at && starts_at < to && starts_at !== found.at(-1)?.starts_at) found.push(occurrence)
  }
  return found
}

/** Undefined when the rule never gives a day. */
export function firstOccurrence(series: Series): Occurrence | undefined {
  const plan = planOf(series)
  const [day] = daysOf(plan)
  return day === undefined ? undefined : occurrenceOn(day, plan)
}

/** Undefined when the series has no end, or none within a hundred years. */
export function lastOccurrence(series: Series): Occurrence | undefined {
  const plan = planOf(series)
  if (plan.count === undefined && plan.last_day === undefined) return undefined
  const days = [...daysOf(plan)]
  const ended = plan.count === undefined ? (plan.last_day ?? 0) <= endOfReach(plan) : days.length === plan.count
  const day = days.at(-1)
  return ended && day !== undefined ? occurrenceOn(day, plan) : undefined
}

/** The one whose start is nearest; of two that are equally near, the earlier. */
export function nearestOccurrence(series: Series, instant: string): Occurrence | undefined {
  const plan = planOf(series)
  const today = dayAt(instant, series)
  const days: number[] = []
  for (const day of daysOf(plan)) {
    days.push(day)
    if (day > today + 1) break
  }
  const distance = ({ starts_at }: Occurrence) => Math.abs(Date.parse(starts_at) - Date.parse(instant))
  const candidates = days.slice(-5).map(day => occurrenceOn(day, plan)) // one before, yesterday to tomorrow, one after
  return candidates.toSorted((one, other) => distance(one) - distance(other))[0]
}

/** A rule as it applies to its series. Days are counted from 1970-01-01. */
interface Plan {
  time_zone: string
  start_day: number
  /** The time on the wall, in milliseconds. */
  time_of_day: number
  last_day: number | undefined
  freq: string
  interval: number
  count: number | undefined
  week_begins: number
  by_month: number[]
  by_month_day: number[]
  by_year_day: number[]
  by_week_no: number[]
  by_set_pos: number[]
  /** `nth` is 0 for every one. */
  by_day: { weekday: number; nth: number }[]
}

function planOf(series: Series): Plan {
  const parts = new Map(
    Array.from(series.recurrence.matchAll(/(\w+)=([^;]+)/g), ([, name = '', value = '']) => [name, value]),
  )
  const numbers = (name: string) => parts.get(name)?.split(',').map(Number) ?? []
  const start_day = dayAt(series.scheduled_at, series)
  const plan: Plan = {
    time_zone: series.time_zone,
    start_day,
    time_of_day: wallAt(series.scheduled_at, series.time_zone) - start_day * DAY_MS,
    last_day: undefined,
    freq: parts.get('FREQ') ?? '',
    interval: Number(parts.get('INTERVAL') ?? 1),
    count: parts.has('COUNT') ? Number(parts.get('COUNT')) : undefined,
    week_begins: WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO'),
    by_month: numbers('BYMONTH'),
    by_month_day: numbers('BYMONTHDAY'),
    by_year_day: numbers('BYYEARDAY'),
    by_week_no: numbers('BYWEEKNO'),
    by_set_pos: numbers('BYSETPOS'),
    by_day: (parts.get('BYDAY')?.split(',') ?? []).map(text => {
      const [, nth = '0', weekday = ''] = WEEKDAY.exec(text) ?? []
      return { weekday: WEEKDAYS.indexOf(weekday), nth: Number(nth) }
    }),
  }
  const until = untilOf(parts.get('UNTIL') ?? '', series.time_zone)
  if (until) {
    const day = dayAt(until, series)
    plan.last_day = occurrenceOn(day, plan).starts_at <= until ? day : day - 1
  }
  return withWhatTheStartSays(plan)
}

/** Where a rule does not say which days, they are those like the first. */
function withWhatTheStartSays(plan: Plan): Plan {
  const { freq, by_day, by_month, by_month_day, by_year_day, by_week_no } = plan
  const { month, date, weekday } = dayFrom(plan.start_day)
  const says = by_day.length + by_month_day.length + by_year_day.length > 0
  if (says || freq === 'DAILY') return plan
  if (freq === 'WEEKLY' || by_week_no.length > 0) return { ...plan, by_day: [{ weekday, nth: 0 }] }
  if (freq === 'MONTHLY' || by_month.length > 0) return { ...plan, by_month_day: [date] }
  return { ...plan, by_month: [month], by_month_day: [date] }
}

/** The days of the series in order; where that can be done, the walk begins near `from` instead of at the start. */
function* daysOf(plan: Plan, from = plan.start_day): Generator<number> {
  const { start_day, last_day = Number.POSITIVE_INFINITY } = plan
  let left = plan.count ?? Number.POSITIVE_INFINITY
  const begin = plan.count === undefined ? Math.max(from, start_day) : start_day
  for (const days of periodsOf(plan, begin)) {
    for (const day of days) {
      if (day < begin) continue
      if (day > last_day || left === 0) return
      left--
      yield day
    }
  }
}

/** What fits in each day, week, month or year. A walk begins a year early: BYSETPOS chooses from whole periods. */
function* periodsOf(plan: Plan, begin: number): Generator<number[]> {
  const first = periodOf(dayFrom(plan.start_day), plan)
  const end = Math.min(endOfReach(plan), (plan.last_day ?? LAST_DAY) + 366)
  let [period, numbers]: [number, number[]] = [first, []]
  for (let number = begin - 366; number <= end; number++) {
    const day = dayFrom(number)
    const now = periodOf(day, plan)
    if (now !== period) {
      if (numbers.length > 0) yield chosen(numbers, plan)
      ;[period, numbers] = [now, []]
    }
    if (now >= first && (now - first) % plan.interval === 0 && fits(day, plan)) numbers.push(number)
  }
  yield chosen(numbers, plan)
}

const chosen = (numbers: number[], { by_set_pos }: Plan) =>
  numbers.filter((_, index) => isAmong(by_set_pos, [index + 1, index - numbers.length]))

function periodOf({ number, year, month }: Day, { freq, week_begins }: Plan): number {
  if (freq === 'DAILY') return number
  if (freq === 'WEEKLY') return Math.floor((number + 4 - week_begins) / 7) // day 0 was a Thursday
  return freq === 'MONTHLY' ? year * 12 + month : year
}

const fits = (day: Day, plan: Plan) =>
  isAmong(plan.by_month, [day.month]) &&
  isAmong(plan.by_month_day, places(day.number, monthOf(day))) &&
  isAmong(plan.by_year_day, places(day.number, yearOf(day))) &&
  isAmong(plan.by_week_no, weekNumbers(day, plan)) &&
  isWanted(day, plan)

function isWanted(day: Day, { by_day, by_month, freq }: Plan): boolean {
  if (by_day.length === 0) return true
  const span = freq === 'MONTHLY' || by_month.length > 0 ? monthOf(day) : yearOf(day)
  const nths = [0, ...weeks(day.number, span)]
  return by_day.some(({ weekday, nth }) => weekday === day.weekday && nths.includes(nth))
}

/** A week belongs to the year that has most of it, and so its fourth day. */
function weekNumbers({ number, weekday }: Day, { week_begins }: Plan): number[] {
  const fourth = number - ((weekday - week_begins + 7) % 7) + 3
  return weeks(fourth, yearOf(dayFrom(fourth)))
}

/** The first and the last day of a month or year. */
type Span = [first: number, last: number]
const monthOf = ({ year, month }: Day): Span => [numberOf(year, month, 1), numberOf(year, month + 1, 1) - 1]
const yearOf = ({ year }: Day): Span => [numberOf(year, 1, 1), numberOf(year + 1, 1, 1) - 1]

/** Which day it is, or in which week it falls, counted from the first of the span and back from the last. */
const places = (day: number, [first, last]: Span) => [day - first + 1, day - last - 1]
const weeks = (day: number, [first, last]: Span) => [
  Math.floor((day - first) / 7) + 1,
  -Math.floor((last - day) / 7) - 1,
]

const isAmong = (list: number[], values: number[]) => list.length === 0 || values.some(value => list.includes(value))

/** One day, counted from 1970-01-01. */
interface Day {
  number: number
  year: number
  month: number
  date: number
  weekday: number
}

function dayFrom(number: number): Day {
  const day = new Date(number * DAY_MS)
  return {
    number,
    year: day.getUTCFullYear(),
    month: day.getUTCMonth() + 1,
    date: day.getUTCDate(),
    weekday: day.getUTCDay(),
  }
}

const numberOf = (year: number, month: number, date: number) => Date.UTC(year, month - 1, date) / DAY_MS
const dayAt = (instant: string, { time_zone }: Series) => Math.floor(wallAt(instant, time_zone) / DAY_MS)
const endOfReach = ({ start_day }: Plan) => Math.min(start_day + REACH, LAST_DAY)

function occurrenceOn(day: number, { time_of_day, time_zone }: Plan): Occurrence {
  const starts_at = instantAtWall(day * DAY_MS + time_of_day, time_zone)
  return { starts_at, local_time: localTimeOf(starts_at, time_zone) }
}
