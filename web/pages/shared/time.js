/** Times as people in this browser say them. */

const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** @param {string} instant */
export const dateAndTime = instant => `${day.format(new Date(instant))}, ${hour.format(new Date(instant))}`
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
