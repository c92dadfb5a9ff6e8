import { Problem } from '../../client/api.js'
import { confirmed } from '../shared/confirm.js'
import { find, h } from '../shared/dom.js'
import { handOver } from '../shared/hand-over.js'
import { api, me } from '../shared/me.js'
import { busy, tell } from '../shared/notice.js'
import { section } from '../shared/section.js'
import { whenOf } from '../shared/time.js'
import { meetingWords, ruleWords, typeWords } from '../shared/words.js'
import { change } from './change.js'

/** @typedef {import('../shared/told.js').Meeting} Meeting */

/**
 * What it is, when, the way in, and what its owner may do with it.
 * @param {string} id @param {() => unknown} changed after it was changed here
 */
export async function showHead(id, changed) {
  const title = find('title', HTMLElement)
  const path = `/meetings/${id}`
  /** @type {Meeting | undefined} */
  let shown

  const head = section('head', async () => {
    try {
      shown = await api.call('GET', path)
    } catch (error) {
      if (!(error instanceof Problem) || (error.status !== 404 && error.status !== 403)) throw error
      title.textContent = 'There is no such meeting'
      return [h('p', {}, 'It was deleted, or you are not invited. ', h('a', { href: '/meetings' }, 'To my meetings'))]
    }
    return shown && show(shown)
  })

  /** @param {Meeting} meeting */
  function show(meeting) {
    title.textContent = meeting.title
    const open = isOpen(meeting)
    return [
      h(
        'p',
        { className: 'row' },
        h('span', { className: `badge ${meeting.status}` }, meetingWords[meeting.status]),
        meeting.locked && h('span', { className: 'badge' }, 'Locked'),
        h(
          'span',
          {},
          whenOf(meeting),
          meeting.recurrence !== null && `, ${ruleWords(meeting.recurrence).toLowerCase()}`,
        ),
      ),
      h('p', { className: 'quiet' }, `${typeWords[meeting.type]}. ${doorOf(meeting)}`),
      meeting.description === '' ? '' : h('p', { className: 'words' }, meeting.description),
      h(
        'div',
        { className: 'row' },
        open && h('a', { className: 'button primary', href: `/?meeting=${id}` }, 'Join'),
        button('Calendar file', () => saveCalendar(meeting)),
        ...(meeting.owner_id === me()?.id ? forOwner(meeting) : []),
      ),
      open ? codeOf(meeting) : '',
    ]
  }

  /** @param {Meeting} meeting */
  const forOwner = ({ status, locked, title, ...meeting }) => [
    status !== 'cancelled' &&
      button('Change', () =>
        change({ ...meeting, status, locked, title }, () => head.act(null, async () => {}, 'Changed.').then(changed)),
      ),
    isOpen({ status }) &&
      (locked
        ? button('Unlock', to('unlock', 'Unlocked: people may come in.'))
        : button('Lock', to('lock', 'Locked: nobody new comes in.'))),
    status === 'live' &&
      button('End', ask('End it for everybody who is inside?', 'End it', to('end', 'Ended.')), 'danger'),
    status === 'scheduled' &&
      button(
        'Cancel',
        ask(`Cancel “${title}”? Whoever is invited is told.`, 'Cancel it', to('cancel', 'Cancelled.')),
        'danger',
      ),
    button(
      'Delete',
      ask(`Delete “${title}” with its recordings, transcript and notes?`, 'Delete it', remove),
      'danger',
    ),
  ]

  /** @param {string} verb @param {string} done */
  const to = (verb, done) => (/** @type {HTMLButtonElement} */ pressed) =>
    head.act(pressed, () => api.call('POST', `${path}/${verb}`), done).then(changed)

  async function remove() {
    await api.call('DELETE', path)
    location.assign('/meetings')
  }

  await head.refresh()
  return { meeting: shown, isOpen: () => shown !== undefined && isOpen(shown), refresh: head.refresh }
}

/**
 * @param {string} text @param {(pressed: HTMLButtonElement) => Promise<unknown>} work @param {string} [className]
 */
function button(text, work, className) {
  const made = h('button', { type: 'button', className, on: { click: () => busy(made, () => work(made)) } }, text)
  return made
}

/** @param {string} question @param {string} verb @param {(pressed: HTMLButtonElement) => Promise<unknown>} work */
const ask = (question, verb, work) => async (/** @type {HTMLButtonElement} */ pressed) => {
  if (await confirmed(question, verb)) await work(pressed)
}

/** @param {Pick<Meeting, 'status'>} meeting */
const isOpen = ({ status }) => status === 'scheduled' || status === 'live'

/** @param {Meeting} meeting */
function doorOf({ lobby, guests }) {
  const code = guests ? 'Whoever has the code may knock.' : 'The code lets nobody in: it is for invited people only.'
  return lobby ? `${code} Everybody waits in a lobby until a host lets them in.` : code
}

/** @param {Meeting} meeting */
function codeOf({ join_code }) {
  const copy = button('Copy', async () => {
    await navigator.clipboard.writeText(join_code)
    tell('The code is copied.')
  })
  copy.setAttribute('aria-label', 'Copy the code')
  return h('p', { className: 'row' }, 'Code to join ', h('code', {}, join_code), copy)
}

/** @param {Meeting} meeting */
async function saveCalendar({ id, title }) {
  handOver(await api.text(`/meetings/${id}/calendar.ics`, 'text/calendar'), 'text/calendar', `${title}.ics`)
}
