import { instantAtWall, instantOf } from '../../kernel/local-time.ts'

/** What a rule of RFC 5545, 3.3.10, may say here: nothing finer than a day, and nothing that contradicts itself. */

const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']
export const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
export const WEEKDAY = /^(-?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/
const LISTS = new Map([
  ['BYMONTH', { most: 12, backwards: false }],
  ['BYMONTHDAY', { most: 31, backwards: true }],
  ['BYYEARDAY', { most: 366, backwards: true }],
  ['BYWEEKNO', { most: 53, backwards: true }],
  ['BYSETPOS', { most: 366, backwards: true }],
])

/** The zone is needed for an UNTIL that is only a day: it means the end of that day there, and is written in UTC. */
export function readRule(text: string, time_zone: string): { rule: string } | { fault: string } {
  if (text.length > 500) return { fault: 'A rule has 500 characters at most' }
  const line = text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
  if (/\s/.test(line)) return { fault: 'Give one rule on one line, without spaces, DTSTART or EXDATE' }
  const parts = new Map<string, string>()
  for (const part of line.replace(/(?<=[=,])(?:\+|(-))?0*(?=[1-9])/g, '$1').split(';')) {
    const [, name, value] = /^([A-Z-]{1,20})=([^=]+)$/.exec(part) ?? []
    if (!name || !value) return { fault: 'A rule is made of parts such as FREQ=WEEKLY, with a semicolon between them' }
    if (parts.has(name)) return { fault: `${name} is given twice` }
    parts.set(name, value)
  }
  for (const [name, value] of parts) {
    const fault = faultOf(name, value)
    if (fault) return { fault }
  }
  const fault = faultTogether(parts)
  if (fault) return { fault }
  const until = untilOf(parts.get('UNTIL') ?? '', time_zone)
  if (until) parts.set('UNTIL', until.replace(/[-:]|\.\d+/g, ''))
  return { rule: [...parts].map(([name, value]) => `${name}=${value}`).join(';') }
}

function faultOf(name: string, value: string): string | undefined {
  const values = value.split(',')
  const list = LISTS.get(name)
  if (list) {
    const good = values.every(one => isWhole(list.backwards ? one.replace(/^-/, '') : one, list.most))
    const backwards = list.backwards ? ', with a minus to count from the end' : ''
    return good ? undefined : `${name} must be a list of whole numbers from 1 to ${list.most}${backwards}`
  }
  switch (name) {
    case 'FREQ':
      return FREQUENCIES.includes(value) ? undefined : 'FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY'
    case 'INTERVAL':
      return isWhole(value, 999) ? undefined : 'INTERVAL must be a whole number from 1 to 999'
    case 'COUNT':
      return isWhole(value, 10_000) ? undefined : 'COUNT must be a whole number from 1 to 10000'
    case 'WKST':
      return WEEKDAYS.includes(value) ? undefined : `WKST must be one of ${WEEKDAYS.join(', ')}`
    case 'BYDAY':
      return values.every(isWeekday) ? undefined : 'BYDAY must be a list of weekdays, such as MO,WE or -1FR'
    case 'UNTIL':
      return untilOf(value, 'UTC')
        ? undefined
        : 'UNTIL must be a day, such as 20261231, or a time in UTC, such as 20261231T235959Z'
    case 'BYHOUR':
    case 'BYMINUTE':
    case 'BYSECOND':
      return `${name} cannot be set: the time of day is that of the start`
    default:
      return `${name} is not a part that a rule can have here`
  }
}

function faultTogether(parts: Map<string, string>): string | undefined {
  const freq = parts.get('FREQ')
  const numbered = /\d/.test(parts.get('BYDAY') ?? '')
  if (!freq) return 'FREQ is missing: it must be DAILY, WEEKLY, MONTHLY or YEARLY'
  if (parts.has('COUNT') && parts.has('UNTIL')) return 'Give COUNT or UNTIL, not both'
  if (freq !== 'YEARLY' && parts.has('BYWEEKNO')) return 'BYWEEKNO needs FREQ=YEARLY'
  if (freq !== 'YEARLY' && parts.has('BYYEARDAY')) return 'BYYEARDAY needs FREQ=YEARLY'
  if (freq === 'WEEKLY' && parts.has('BYMONTHDAY')) return 'BYMONTHDAY cannot be used with FREQ=WEEKLY'
  if (numbered && freq !== 'MONTHLY' && freq !== 'YEARLY') return 'A number in BYDAY needs FREQ=MONTHLY or FREQ=YEARLY'
  if (numbered && parts.has('BYWEEKNO')) return 'A number in BYDAY cannot be used with BYWEEKNO'
  const others = [...parts.keys()].filter(name => name.startsWith('BY') && name !== 'BYSETPOS')
  if (parts.has('BYSETPOS') && others.length === 0) return 'BYSETPOS needs another BY part to choose from'
  return undefined
}

const isWhole = (text: string, most: number) => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= most

function isWeekday(text: string): boolean {
  const [found, nth] = WEEKDAY.exec(text) ?? []
  return found !== undefined && (nth === undefined || isWhole(nth.replace(/^-/, ''), 53))
}

/** The last moment at which something may still begin. */
export function untilOf(value: string, time_zone: string): string | undefined {
  const [form, day = '', time = 'T235959'] = /^(\d{8})(?:(T\d{6})Z)?$/.exec(value) ?? []
  if (!form) return undefined
  const iso = (day + time).replace(/(....)(..)(..)T(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')
  const read = instantOf(iso, 'UTC')
  if ('fault' in read) return undefined
  return form.endsWith('Z') ? read.instant : instantAtWall(Date.parse(read.instant), time_zone)
}
