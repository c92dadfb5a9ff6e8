import { h } from '../shared/dom.js'
import { handOver } from '../shared/hand-over.js'
import { listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { busy } from '../shared/notice.js'
import { section } from '../shared/section.js'
import { dateAndTime, dayOf, timeElement } from '../shared/time.js'
import { count, roleWords } from '../shared/words.js'
import { minutesPerDay } from './chart.js'

/** @typedef {import('../shared/told.js').Attendance} Attendance */

/** Who was here, and for how long. @param {string} id @returns {Promise<Attendance[]>} */
export async function showAttendance(id) {
  const path = `/meetings/${id}/attendance`
  /** @type {Attendance[]} */
  let attendances = []
  const attendance = section('attendance', async () => {
    attendances = await listAll(`${path}?limit=100`)
    if (attendances.length === 0) return undefined
    return [summary(attendances), minutesPerDay(daysOf(attendances)), table(attendances), h('p', {}, save)]
  })
  const save = h('button', { type: 'button', on: { click: saved } }, 'Download as CSV')
  function saved() {
    busy(save, async () => handOver(await api.text(path, 'text/csv'), 'text/csv', 'attendance.csv'))
  }
  await attendance.refresh()
  return attendances
}

/** @param {Attendance[]} attendances */
function summary(attendances) {
  const people = new Set(attendances.map(({ participant_id }) => participant_id)).size
  const minutes = attendances.reduce((sum, { minutes }) => sum + minutes, 0)
  return h(
    'p',
    {},
    `${people === 1 ? '1 person' : `${people} people`}, ${count(Math.round(minutes), 'minute')} in all.`,
  )
}

/** @param {Attendance[]} attendances */
function daysOf(attendances) {
  /** @type {Map<string, number>} */
  const minutesOf = new Map()
  for (const { joined_at, minutes } of attendances) {
    const day = dayOf(new Date(joined_at))
    minutesOf.set(day, (minutesOf.get(day) ?? 0) + minutes)
  }
  return minutesOf
}

/** @param {Attendance[]} attendances */
const table = attendances =>
  h(
    'div',
    { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'Who was here' },
    h(
      'table',
      {},
      h('caption', { className: 'unseen' }, 'Who was here'),
      h('thead', {}, h('tr', {}, ...columns.map(text => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...attendances.map(row)),
    ),
  )
const columns = ['Name', 'Role', 'Came', 'Went', 'Minutes', 'With']

/** @param {Attendance} attendance */
const row = ({ display_name, role, joined_at, left_at, end_reason, minutes, device }) =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, display_name),
    h('td', {}, roleWords[role] ?? role),
    h('td', {}, timeElement(joined_at)),
    h('td', {}, left_at === null ? 'is here' : `${dateAndTime(left_at)}${reasons[end_reason ?? ''] ?? ''}`),
    h('td', { className: 'number' }, minutes.toFixed(1)),
    h('td', {}, device ?? '–'),
  )

/** @type {{ [reason: string]: string }} */
const reasons = {
  removed: ', shown out',
  withdrawn: ', no longer invited',
  replaced: ', went on elsewhere',
  timeout: ', was not heard of any more',
  meeting_ended: ', at the end',
}
