import { h } from '../shared/dom.js'
import { dayInWords, dayOf } from '../shared/time.js'

/** Days that are shown, at least and at most: one alone is no chart, and a year of them is none that can be read. */
const fewest = 7
const most = 60
const height = 100

/**
 * How many minutes people were here on each day, as a picture and as a table. A day on which nobody was is a gap.
 * @param {Map<string, number>} minutesOf by day
 */
export function minutesPerDay(minutesOf) {
  const days = lastDays([...minutesOf.keys()].sort())
  const highest = Math.max(1, ...days.map(day => minutesOf.get(day) ?? 0))
  const held = days.filter(day => minutesOf.has(day))
  return h(
    'figure',
    { className: 'chart' },
    h('figcaption', {}, `Minutes per day; the most on one day are ${Math.round(highest)}`),
    picture(days, minutesOf, highest),
    h('p', { className: 'ends quiet', 'aria-hidden': 'true' }, ...ends(days)),
    h(
      'details',
      {},
      h('summary', {}, 'Minutes per day as a table'),
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...['Day', 'Minutes'].map(text => h('th', { scope: 'col' }, text)))),
        h(
          'tbody',
          {},
          ...held.map(day =>
            h('tr', {}, h('th', { scope: 'row' }, dayInWords(day)), h('td', {}, (minutesOf.get(day) ?? 0).toFixed(1))),
          ),
        ),
      ),
    ),
  )
}

/** Up to the last on which somebody was here. @param {string[]} held */
function lastDays(held) {
  const [first = '', last = ''] = [held[0], held.at(-1)]
  const days = []
  const date = new Date(`${last}T12:00`)
  while (days.length < fewest || (days.length < most && dayOf(date) >= first)) {
    days.unshift(dayOf(date))
    date.setDate(date.getDate() - 1)
  }
  return days
}

/** @param {string[]} days */
const ends = days => [days[0], days.at(-1)].map(day => h('span', {}, dayInWords(day ?? '')))

/** @param {string[]} days @param {Map<string, number>} minutesOf @param {number} highest */
function picture(days, minutesOf, highest) {
  const held = days.filter(day => minutesOf.has(day)).length
  const title = svg('title', { id: 'chart-title' }, 'Minutes per day')
  const about = `From ${dayInWords(days[0] ?? '')} to ${dayInWords(days.at(-1) ?? '')}, people were here on ${held} of ${days.length} days.`
  const desc = svg('desc', { id: 'chart-desc' }, about)
  const bars = days.map((day, i) => bar(i, day, minutesOf.get(day), highest))
  const box = `0 0 ${days.length} ${height}`
  const frame = { viewBox: box, preserveAspectRatio: 'none', role: 'img', 'aria-labelledby': 'chart-title chart-desc' }
  return svg('svg', frame, title, desc, ...bars)
}

/** @param {number} i @param {string} day @param {number | undefined} minutes @param {number} highest */
function bar(i, day, minutes, highest) {
  const tall = minutes === undefined ? 1 : Math.max(2, (minutes / highest) * height)
  const text = `${dayInWords(day)}: ${minutes === undefined ? 'nobody' : `${minutes.toFixed(1)} minutes`}`
  const shape = { x: i + 0.1, y: height - tall, width: 0.8, height: tall, class: minutes === undefined ? 'gap' : 'bar' }
  return svg('rect', shape, svg('title', {}, text))
}

/** @param {string} name @param {{ [attribute: string]: string | number }} attributes @param {...(Node | string)} children */
function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value))
  element.append(...children)
  return element
}
