import { h } from './dom.js'
import { minutesInWords } from './words.js'

/** Times as people in this browser say them. */

const dayFormat = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
})
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** @param {string} instant */
export const dateAndTime = instant => `${dayFormat.format(new Date(instant))}, ${hour.format(new Date(instant))}`
/** @param {string} instant */
export const timeOf = instant => hour.format(new Date(instant))

/** For an input of datetime-local, which knows no zone: my own. @param {Date} date */
export const localText = date => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
/** And back. @param {string} text */
export const instantOf = text => new Date(text).toISOString()

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

/** 0:07, 12:30, 1:02:03. @param {number} ms */
export function clockOf(ms) {
  const seconds = Math.floor(ms / 1000)
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** @param {number} bytes */
export function sizeOf(bytes) {
  const steps = ['bytes', 'kB', 'MB', 'GB']
  const step = Math.min(steps.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${(bytes / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${steps[step]}`
}

/** A time, for readers and for programs. @param {string} instant */
export const timeElement = instant => h('time', { datetime: instant }, dateAndTime(instant))

/**
 * When a meeting is: in my time, and in that of the meeting where the clocks there show another.
 * @param {import('./told.js').Timing & { started_at?: string | null }} timing
 */
export function whenOf({ scheduled_at, duration_minutes, time_zone, started_at }) {
  if (scheduled_at === null && started_at) return h('span', {}, 'Began ', timeElement(started_at))
  if (scheduled_at === null) return h('span', {}, 'Without a fixed time')
  const theirs = wallTime(scheduled_at, time_zone)
  const length = minutesInWords(duration_minutes)
  return h(
    'span',
    {},
    timeElement(scheduled_at),
    `, ${length}`,
    theirs !== wallTime(scheduled_at) && h('span', { className: 'quiet' }, ` (${theirs} in ${placeOf(time_zone)})`),
  )
}

/** @param {string} instant @param {string} [timeZone] */
const wallTime = (instant, timeZone) =>
  new Intl.DateTimeFormat(undefined, {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    ...(timeZone ? { timeZone } : {}),
  }).format(new Date(instant))

/** @param {string} zone Europe/Berlin */
export const placeOf = zone => (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ')

/** The day on my calendar: 2026-01-31. @param {Date} date */
export const dayOf = date => localText(date).slice(0, 10)

/** @param {string} day 2026-01-31 */
export const dayInWords = day => dayFormat.format(new Date(`${day}T12:00`))
