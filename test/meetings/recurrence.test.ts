import { describe, expect, it } from 'vitest'
import {
  firstOccurrence,
  lastOccurrence,
  nearestOccurrence,
  occurrencesBetween,
  type Series,
} from '../../src/features/meetings/recurrence.ts'
import { readRule } from '../../src/features/meetings/rule.ts'
import { instantOf } from '../../src/kernel/local-time.ts'

const BEGINNING = '1970-01-01T00:00:00.000Z'
const END = '9998-12-31T00:00:00.000Z'

function series(recurrence: string, start: string, time_zone = 'Europe/Berlin'): Series {
  const read = instantOf(start, time_zone)
  if ('fault' in read) throw new Error(read.fault)
  return { recurrence, scheduled_at: read.instant, time_zone }
}

const localTimes = (given: Series, limit = 100) =>
  occurrencesBetween(given, BEGINNING, END, limit).map(({ local_time }) => local_time)
const days = (given: Series, limit = 100) => localTimes(given, limit).map(time => time.slice(0, 10))

describe('a rule', () => {
  const rule = (text: string, time_zone = 'Europe/Berlin') => readRule(text, time_zone)

  it.each([
    ['FREQ=DAILY', 'FREQ=DAILY'],
    ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE', 'FREQ=WEEKLY;BYDAY=MO,WE'],
    [' rrule:freq=monthly;byday=-1fr\r\n', 'FREQ=MONTHLY;BYDAY=-1FR'],
    ['FREQ=MONTHLY;BYDAY=+01FR,-02MO;BYMONTH=03', 'FREQ=MONTHLY;BYDAY=1FR,-2MO;BYMONTH=3'],
    ['INTERVAL=999;COUNT=10000;FREQ=YEARLY', 'INTERVAL=999;COUNT=10000;FREQ=YEARLY'],
    ['FREQ=YEARLY;BYWEEKNO=-1,53;WKST=SU', 'FREQ=YEARLY;BYWEEKNO=-1,53;WKST=SU'],
    ['FREQ=YEARLY;BYYEARDAY=-366;BYSETPOS=-366', 'FREQ=YEARLY;BYYEARDAY=-366;BYSETPOS=-366'],
    ['FREQ=DAILY;UNTIL=20261231T235959Z', 'FREQ=DAILY;UNTIL=20261231T235959Z'],
  ])('is written in one way: %j', (text, canonical) => {
    expect(rule(text)).toEqual({ rule: canonical })
    expect(rule(canonical)).toEqual({ rule: canonical })
  })

  it('ends with the local day when UNTIL is only a day', () => {
    expect(rule('FREQ=DAILY;UNTIL=20261231')).toEqual({ rule: 'FREQ=DAILY;UNTIL=20261231T225959Z' })
    expect(rule('FREQ=DAILY;UNTIL=20260701', 'America/New_York')).toEqual({
      rule: 'FREQ=DAILY;UNTIL=20260702T035959Z',
    })
  })

  it.each([
    ['FREQ=HOURLY', 'FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY'],
    ['FREQ=', 'A rule is made of parts such as FREQ=WEEKLY, with a semicolon between them'],
    ['', 'A rule is made of parts such as FREQ=WEEKLY, with a semicolon between them'],
    ['FREQ=DAILY;', 'A rule is made of parts such as FREQ=WEEKLY, with a semicolon between them'],
    ['every monday', 'Give one rule on one line, without spaces, DTSTART or EXDATE'],
    ['BYDAY=MO', 'FREQ is missing: it must be DAILY, WEEKLY, MONTHLY or YEARLY'],
    ['FREQ=DAILY;BYHOUR=9', 'BYHOUR cannot be set: the time of day is that of the start'],
    ['FREQ=DAILY;BYMINUTE=9', 'BYMINUTE cannot be set: the time of day is that of the start'],
    ['FREQ=DAILY;BYSECOND=9', 'BYSECOND cannot be set: the time of day is that of the start'],
    ['RSCALE=CHINESE;FREQ=YEARLY', 'RSCALE is not a part that a rule can have here'],
    ['FREQ=DAILY;X-EVIL=1', 'X-EVIL is not a part that a rule can have here'],
    ['FREQ=DAILY;CONSTRUCTOR=1', 'CONSTRUCTOR is not a part that a rule can have here'],
    ['FREQ=DAILY;FREQ=DAILY', 'FREQ is given twice'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL must be a whole number from 1 to 999'],
    ['FREQ=DAILY;INTERVAL=1000', 'INTERVAL must be a whole number from 1 to 999'],
    ['FREQ=DAILY;INTERVAL=1.5', 'INTERVAL must be a whole number from 1 to 999'],
    ['FREQ=DAILY;INTERVAL=-1', 'INTERVAL must be a whole number from 1 to 999'],
    ['FREQ=DAILY;COUNT=10001', 'COUNT must be a whole number from 1 to 10000'],
    ['FREQ=DAILY;COUNT=1e3', 'COUNT must be a whole number from 1 to 10000'],
    ['FREQ=DAILY;COUNT=1;UNTIL=20261231', 'Give COUNT or UNTIL, not both'],
    ['FREQ=WEEKLY;WKST=XX', 'WKST must be one of SU, MO, TU, WE, TH, FR, SA'],
    ['FREQ=WEEKLY;BYDAY=MONDAY', 'BYDAY must be a list of weekdays, such as MO,WE or -1FR'],
    ['FREQ=MONTHLY;BYDAY=54MO', 'BYDAY must be a list of weekdays, such as MO,WE or -1FR'],
    ['FREQ=MONTHLY;BYDAY=0MO', 'BYDAY must be a list of weekdays, such as MO,WE or -1FR'],
    ['FREQ=DAILY;BYMONTH=13', 'BYMONTH must be a list of whole numbers from 1 to 12'],
    ['FREQ=DAILY;BYMONTH=-1', 'BYMONTH must be a list of whole numbers from 1 to 12'],
    ['FREQ=DAILY;BYMONTH=5L', 'BYMONTH must be a list of whole numbers from 1 to 12'],
    [
      'FREQ=DAILY;BYMONTHDAY=1-5',
      'BYMONTHDAY must be a list of whole numbers from 1 to 31, with a minus to count from the end',
    ],
    [
      'FREQ=YEARLY;BYSETPOS=367;BYDAY=MO',
      'BYSETPOS must be a list of whole numbers from 1 to 366, with a minus to count from the end',
    ],
    ['FREQ=YEARLY;BYSETPOS=1', 'BYSETPOS needs another BY part to choose from'],
    ['FREQ=MONTHLY;BYWEEKNO=1', 'BYWEEKNO needs FREQ=YEARLY'],
    ['FREQ=DAILY;BYYEARDAY=1', 'BYYEARDAY needs FREQ=YEARLY'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', 'BYMONTHDAY cannot be used with FREQ=WEEKLY'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'A number in BYDAY needs FREQ=MONTHLY or FREQ=YEARLY'],
    ['FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO', 'A number in BYDAY cannot be used with BYWEEKNO'],
    ['FREQ=DAILY\r\nRRULE:FREQ=DAILY', 'Give one rule on one line, without spaces, DTSTART or EXDATE'],
    ['DTSTART:20260101T000000Z\nFREQ=DAILY', 'Give one rule on one line, without spaces, DTSTART or EXDATE'],
    ['FREQ=DAILY;EXDATE=20260101', 'EXDATE is not a part that a rule can have here'],
    [`FREQ=DAILY;BYMONTH=${'1,'.repeat(250)}1`, 'A rule has 500 characters at most'],
  ])('is refused: %j', (text, fault) => {
    expect(rule(text)).toEqual({ fault })
  })

  it.each(['20260230', '20261301', '2026-12-31', '20261231T235959', '20261231T240000Z', '20261231T235960Z', 'NEVER'])(
    'is refused with UNTIL=%s',
    until => {
      expect(rule(`FREQ=DAILY;UNTIL=${until}`)).toEqual({ fault: expect.stringContaining('UNTIL must be a day') })
    },
  )
})

describe('a series keeps its time on the wall', () => {
  it('in Berlin, in spring and in autumn', () => {
    expect(localTimes(series('FREQ=WEEKLY;COUNT=3', '2026-03-22T09:00'))).toEqual([
      '2026-03-22T09:00:00+01:00',
      '2026-03-29T09:00:00+02:00',
      '2026-04-05T09:00:00+02:00',
    ])
    expect(localTimes(series('FREQ=WEEKLY;COUNT=3', '2026-10-18T09:00'))).toEqual([
      '2026-10-18T09:00:00+02:00',
      '2026-10-25T09:00:00+01:00',
      '2026-11-01T09:00:00+01:00',
    ])
  })

  it('in New York, in spring and in autumn', () => {
    expect(localTimes(series('FREQ=WEEKLY;COUNT=2', '2026-03-01T09:00', 'America/New_York'))).toEqual([
      '2026-03-01T09:00:00-05:00',
      '2026-03-08T09:00:00-04:00',
    ])
    expect(localTimes(series('FREQ=WEEKLY;COUNT=2', '2026-10-25T09:00', 'America/New_York'))).toEqual([
      '2026-10-25T09:00:00-04:00',
      '2026-11-01T09:00:00-05:00',
    ])
  })

  it('and where the clocks skip it, begins later on that day only', () => {
    expect(localTimes(series('FREQ=DAILY;COUNT=3', '2026-03-28T02:30'))).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-29T03:30:00+02:00',
      '2026-03-30T02:30:00+02:00',
    ])
  })

  it('and where the clocks show it twice, begins at the first', () => {
    const given = series('FREQ=DAILY;COUNT=3', '2026-10-24T02:30')
    expect(localTimes(given)[1]).toBe('2026-10-25T02:30:00+02:00')
  })

  it('and meets once where a whole day was skipped', () => {
    const given = series('FREQ=DAILY;COUNT=4', '2011-12-28T09:00', 'Pacific/Apia')
    expect(days(given)).toEqual(['2011-12-28', '2011-12-29', '2011-12-31'])
  })

  it('on its local day, where that is another one in UTC', () => {
    const given = series('FREQ=WEEKLY;BYDAY=MO;COUNT=2', '2026-01-05T08:00', 'Asia/Tokyo')
    expect(occurrencesBetween(given, BEGINNING, END, 9).map(({ starts_at }) => starts_at)).toEqual([
      '2026-01-04T23:00:00.000Z',
      '2026-01-11T23:00:00.000Z',
    ])
  })
})

describe('a series is on', () => {
  it.each([
    ['every third day', 'FREQ=DAILY;INTERVAL=3', '2026-01-30', ['2026-01-30', '2026-02-02', '2026-02-05']],
    ['workdays', 'FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR', '2026-01-02', ['2026-01-02', '2026-01-05', '2026-01-06']],
    ['the weekday of its start', 'FREQ=WEEKLY;INTERVAL=2', '2026-01-07', ['2026-01-07', '2026-01-21', '2026-02-04']],
    [
      'two days of every second week',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU',
      '2026-01-06',
      ['2026-01-06', '2026-01-11', '2026-01-20'],
    ],
    [
      '… whose weeks begin on Sunday',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU',
      '2026-01-06',
      ['2026-01-06', '2026-01-18', '2026-01-20'],
    ],
    [
      'the last Friday of a month',
      'FREQ=MONTHLY;BYDAY=-1FR',
      '2026-01-30',
      ['2026-01-30', '2026-02-27', '2026-03-27', '2026-04-24', '2026-05-29'],
    ],
    [
      'the second and fourth Tuesday',
      'FREQ=MONTHLY;BYDAY=2TU,4TU',
      '2026-01-13',
      ['2026-01-13', '2026-01-27', '2026-02-10'],
    ],
    [
      'the last workday of a month',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      '2026-01-30',
      ['2026-01-30', '2026-02-27', '2026-03-31'],
    ],
    ['the last day of a month', 'FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31', ['2026-01-31', '2026-02-28', '2026-03-31']],
    ['the 31st, where there is one', 'FREQ=MONTHLY', '2026-01-31', ['2026-01-31', '2026-03-31', '2026-05-31']],
    [
      'Friday the 13th',
      'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13',
      '2026-02-13',
      ['2026-02-13', '2026-03-13', '2026-11-13'],
    ],
    ['29 February', 'FREQ=YEARLY', '2024-02-29', ['2024-02-29', '2028-02-29', '2032-02-29']],
    [
      'the same date in two months',
      'FREQ=YEARLY;BYMONTH=3,9',
      '2026-03-10',
      ['2026-03-10', '2026-09-10', '2027-03-10'],
    ],
    ['Thanksgiving', 'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', '2026-11-26', ['2026-11-26', '2027-11-25', '2028-11-23']],
    [
      'the twentieth Monday of a year',
      'FREQ=YEARLY;BYDAY=20MO',
      '1997-05-19',
      ['1997-05-19', '1998-05-18', '1999-05-17'],
    ],
    ['Monday of week 20', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', '1997-05-12', ['1997-05-12', '1998-05-11', '1999-05-17']],
    [
      'the first week, even before its year',
      'FREQ=YEARLY;BYWEEKNO=1',
      '2024-12-30',
      ['2024-12-30', '2025-12-29', '2027-01-04'],
    ],
    ['the last week of a year', 'FREQ=YEARLY;BYWEEKNO=-1', '2026-12-28', ['2026-12-28', '2027-12-27', '2028-12-25']],
    [
      'a day of the year, from either end',
      'FREQ=YEARLY;BYYEARDAY=1,100,-1',
      '2026-01-01',
      ['2026-01-01', '2026-04-10', '2026-12-31'],
    ],
  ])('%s', (_, recurrence, start, expected) => {
    const given = series(recurrence, `${start}T09:00`)
    expect(days(given, expected.length)).toEqual(expected)
    expect(firstOccurrence(given)?.starts_at).toBe(given.scheduled_at)
  })

  it('as many days as COUNT says, the first included, and BYSETPOS chooses from the whole first month', () => {
    const given = series('FREQ=MONTHLY;BYMONTHDAY=1,10,20;BYSETPOS=1,3;COUNT=3', '2026-01-20T09:00')
    expect(days(given)).toEqual(['2026-01-20', '2026-02-01', '2026-02-20'])
  })

  it('until UNTIL, to the second', () => {
    expect(days(series('FREQ=DAILY;UNTIL=20260103T080000Z', '2026-01-01T09:00'))).toHaveLength(3)
    expect(days(series('FREQ=DAILY;UNTIL=20260103T075959Z', '2026-01-01T09:00'))).toHaveLength(2)
    expect(days(series('FREQ=DAILY;UNTIL=20251231T000000Z', '2026-01-01T09:00'))).toEqual([])
  })

  it('only the days of its rule: a start that is none of them does not count', () => {
    const given = series('FREQ=WEEKLY;BYDAY=MO;COUNT=2', '2026-01-07T09:00')
    expect(days(given)).toEqual(['2026-01-12', '2026-01-19'])
    expect(firstOccurrence(given)?.local_time).toBe('2026-01-12T09:00:00+01:00')
  })
})

describe('what is asked of a series', () => {
  const standup = series('FREQ=DAILY', '2006-01-02T09:00')

  it('is answered from the first moment of the span until before its last', () => {
    const between = (from: string, to: string) => occurrencesBetween(standup, from, to, 10).length
    expect(between('2026-01-05T08:00:00.000Z', '2026-01-06T08:00:00.000Z')).toBe(1)
    expect(between('2026-01-05T08:00:00.001Z', '2026-01-06T08:00:00.000Z')).toBe(0)
    expect(between('2026-01-05T08:00:00.000Z', '2026-01-06T08:00:00.001Z')).toBe(2)
    expect(between('2026-01-06T08:00:00.000Z', '2026-01-05T08:00:00.000Z')).toBe(0)
    expect(between('2005-01-01T00:00:00.000Z', '2006-01-02T08:00:00.000Z')).toBe(0)
  })

  it('stops at the limit, also twenty years after the start', () => {
    const found = occurrencesBetween(standup, '2026-01-01T00:00:00.000Z', END, 3)
    expect(found.map(({ starts_at }) => starts_at)).toEqual([
      '2026-01-01T08:00:00.000Z',
      '2026-01-02T08:00:00.000Z',
      '2026-01-03T08:00:00.000Z',
    ])
    expect(occurrencesBetween(standup, BEGINNING, END, 0)).toEqual([])
  })

  it.each([
    'FREQ=YEARLY;INTERVAL=3;BYDAY=MO,-1SU;BYSETPOS=2,-2',
    'FREQ=MONTHLY;INTERVAL=5;BYDAY=MO,TU;BYSETPOS=-1',
    'FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,WE,SU;WKST=SU',
    'FREQ=DAILY;INTERVAL=7;BYMONTH=1,12',
    'FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO,SU',
    'FREQ=MONTHLY;BYDAY=FR;COUNT=90',
  ])('is the same from wherever one looks: %s', recurrence => {
    const given = series(recurrence, '2006-01-02T09:00')
    const all = occurrencesBetween(given, BEGINNING, '2020-01-01T00:00:00.000Z', 1000)
    expect(all.length).toBeGreaterThan(5)
    for (const from of ['2006-01-02T08:00:00.000Z', '2008-12-31T00:00:00.000Z', '2012-01-01T12:00:00.000Z']) {
      const later = occurrencesBetween(given, from, '2020-01-01T00:00:00.000Z', 1000)
      expect(later).toEqual(all.filter(({ starts_at }) => starts_at >= from))
    }
  })

  it('finds the nearest: before the first, between two, at one, after the last', () => {
    const weekly = series('FREQ=WEEKLY;COUNT=3', '2026-03-22T09:00')
    const nearest = (instant: string) => nearestOccurrence(weekly, instant)?.starts_at
    expect(nearest('2001-01-01T00:00:00.000Z')).toBe('2026-03-22T08:00:00.000Z')
    expect(nearest('2026-03-25T00:00:00.000Z')).toBe('2026-03-22T08:00:00.000Z')
    expect(nearest('2026-03-26T00:00:00.000Z')).toBe('2026-03-29T07:00:00.000Z')
    expect(nearest('2026-03-29T07:00:00.000Z')).toBe('2026-03-29T07:00:00.000Z')
    expect(nearest('2026-03-25T19:30:00.000Z')).toBe('2026-03-22T08:00:00.000Z') // both 83.5 hours away
    expect(nearest('2090-01-01T00:00:00.000Z')).toBe('2026-04-05T07:00:00.000Z')
  })

  it('finds the nearest years away and in a long row', () => {
    const leap = series('FREQ=YEARLY', '2024-02-29T09:00')
    expect(nearestOccurrence(leap, '2025-06-01T00:00:00.000Z')?.local_time).toBe('2024-02-29T09:00:00+01:00')
    expect(nearestOccurrence(leap, '2026-06-01T00:00:00.000Z')?.local_time).toBe('2028-02-29T09:00:00+01:00')
    expect(nearestOccurrence(standup, '2026-07-01T19:00:00.001Z')?.local_time).toBe('2026-07-02T09:00:00+02:00')
  })

  it('finds the last, if there is one', () => {
    const last = (recurrence: string) => lastOccurrence(series(recurrence, '2026-01-30T09:00'))?.local_time
    expect(last('FREQ=MONTHLY;BYDAY=-1FR;COUNT=10000')).toBeUndefined() // 833 years from now
    expect(last('FREQ=DAILY;COUNT=10000')).toBe('2053-06-16T09:00:00+02:00')
    expect(last('FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261230T000000Z')).toBe('2026-12-25T09:00:00+01:00')
    expect(last('FREQ=DAILY;UNTIL=90000101T000000Z')).toBeUndefined()
    expect(last('FREQ=DAILY;UNTIL=20260101T000000Z')).toBeUndefined()
    expect(last('FREQ=DAILY')).toBeUndefined()
  })

  it('ends before the calendar does', () => {
    const late = series('FREQ=DAILY', '9998-12-28T09:00')
    expect(days(late)).toEqual(['9998-12-28', '9998-12-29', '9998-12-30'])
  })
})

it.each([
  'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
  'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=10000',
  'FREQ=DAILY;INTERVAL=7;BYDAY=TU',
  'FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2',
  'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366',
  'FREQ=MONTHLY;INTERVAL=12;BYMONTH=2',
  'FREQ=YEARLY;BYYEARDAY=1;BYWEEKNO=30',
  'FREQ=YEARLY;BYWEEKNO=1;BYMONTH=6;UNTIL=99001231T000000Z',
])('a rule that never gives a day is known by that: %s', recurrence => {
  const given = series(recurrence, '2006-01-02T02:30')
  expect(readRule(recurrence, 'Europe/Berlin')).toEqual({ rule: recurrence })
  expect(firstOccurrence(given)).toBeUndefined()
  expect(lastOccurrence(given)).toBeUndefined()
  expect(nearestOccurrence(given, '2026-01-01T00:00:00.000Z')).toBeUndefined()
  expect(occurrencesBetween(given, BEGINNING, END, 10)).toEqual([])
})
