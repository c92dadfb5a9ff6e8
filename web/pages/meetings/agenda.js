import { h } from '../shared/dom.js'
import { growingList, listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { section } from '../shared/section.js'
import { whenOf } from '../shared/time.js'
import { meetingWords, ruleWords } from '../shared/words.js'

/** @typedef {import('../shared/told.js').Meeting} Meeting */

/** My meetings: what is live or ahead, in the order of time, and then what has been, the latest first. */
export function showAgenda() {
  /** @type {Promise<Set<string>>} */
  let known
  const ahead = section('ahead', async () => {
    const meetings = await listAhead()
    if (meetings.length === 0) return [h('p', { className: 'quiet' }, 'Nothing is planned.')]
    return [h('ul', { className: 'list' }, ...meetings.map(meeting => item(meeting, isSoon(meeting))))]
  })
  const past = section('past', async () => {
    const shown = await known
    const { list, more } = await growingList('/meetings', meeting =>
      shown.has(meeting.id) ? undefined : item(meeting),
    )
    return list.childElementCount > 0 ? [list, more] : undefined
  })

  async function listAhead() {
    const found = listAll(`/meetings?${new URLSearchParams({ from: new Date().toISOString(), limit: '100' })}`)
    known = found.then(meetings => new Set(meetings.map(({ id }) => id)))
    known.catch(() => {}) // it is told where they were asked for
    const next = await Promise.all((await found).map(nextOf))
    return next.sort((one, other) => placeOf(one) - placeOf(other))
  }

  const refresh = () => Promise.all([ahead.refresh(), past.refresh()])
  const first = refresh()
  return {
    refresh,
    isEmpty: () => first.then(() => document.querySelector(':is(#ahead, #past) :is(li, [role=alert])') === null),
  }
}

/** A series at its next time. @param {Meeting} meeting @returns {Promise<Meeting>} */
async function nextOf(meeting) {
  if (meeting.recurrence === null || meeting.status !== 'scheduled') return meeting
  const { data } = await api.call('GET', `/meetings/${meeting.id}/occurrences?limit=1`)
  return { ...meeting, scheduled_at: data[0]?.starts_at ?? meeting.scheduled_at }
}

/** What is live comes first. @param {Meeting} meeting */
const placeOf = ({ status, scheduled_at, created_at }) =>
  status === 'live' ? 0 : Date.parse(scheduled_at ?? created_at)

/** @param {Meeting} meeting */
function item(meeting, joinable = false) {
  const { id, title, status, recurrence } = meeting
  return h(
    'li',
    { className: 'row' },
    h(
      'div',
      { className: 'grow' },
      h('h3', {}, h('a', { href: `/meeting?id=${id}` }, title)),
      h('p', {}, whenOf(meeting), recurrence !== null && `, ${ruleWords(recurrence).toLowerCase()}`),
    ),
    h('span', { className: `badge ${status}` }, meetingWords[status]),
    joinable && h('a', { className: 'button primary', href: `/?meeting=${id}`, 'aria-label': `Join ${title}` }, 'Join'),
  )
}

/** Live, or what people are about to go to. @param {Meeting} meeting */
function isSoon({ status, scheduled_at }) {
  return status === 'live' || (status === 'scheduled' && Date.parse(scheduled_at ?? '') - Date.now() < 15 * 60_000)
}
