import { h, said } from './dom.js'
import { instantOf, localText, placeOf, timeZone } from './time.js'

/**
 * What an invited person can say: yes, no, or another time. What is answered to is the time that was seen, so that nobody
 * says yes to one that has moved meanwhile.
 *
 * @typedef {(button: HTMLButtonElement, verb: 'accept' | 'reject' | 'propose', body: object, done: string) => unknown} Give
 * @param {import('./told.js').Invitation} invitation @param {Give} give
 * @param {{ named?: string }} [options] the name to begin with, for who has no account
 */
export function answersTo({ status, meeting }, give, { named } = {}) {
  const { sequence } = meeting
  const form = h('form', { className: 'answers' })
  const answer = (/** @type {'accept' | 'reject'} */ verb, /** @type {string} */ text, /** @type {string} */ done) => {
    const button = h('button', { type: 'submit', className: verb === 'accept' ? 'primary' : '' }, text)
    button.addEventListener('click', () => {
      form.onsubmit = event => {
        event.preventDefault()
        give(button, verb, { sequence, ...said(form) }, done)
      }
    })
    return button
  }
  form.append(
    named === undefined
      ? ''
      : h(
          'label',
          {},
          'Your name, as the others will see it ',
          h('input', { name: 'display_name', autocomplete: 'name', maxLength: 120, value: named }),
        ),
    h('label', {}, 'A note, if you like ', h('input', { name: 'note', maxLength: 1000, autocomplete: 'off' })),
    h(
      'p',
      { className: 'row' },
      status !== 'accepted' && answer('accept', 'Accept', 'You have accepted.'),
      status !== 'rejected' && answer('reject', 'Decline', 'You have declined.'),
    ),
  )
  return meeting.status === 'scheduled' ? [form, otherTime(meeting, give)] : [form]
}

/** @param {import('./told.js').InvitedTo} meeting @param {Give} give */
function otherTime({ scheduled_at, duration_minutes, sequence }, give) {
  const start = scheduled_at && new Date(scheduled_at) > new Date() ? new Date(scheduled_at) : nextHour()
  const button = h('button', { type: 'submit' }, 'Propose this time')
  const form = h(
    'form',
    {
      on: {
        submit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault()
          const { at = '', minutes, note } = said(form)
          const body = { sequence, scheduled_at: instantOf(at), duration_minutes: Number(minutes), note }
          give(button, 'propose', body, 'You have proposed another time. The owner of the meeting decides.')
        },
      },
    },
    h(
      'label',
      {},
      `When, in the time of ${placeOf(timeZone())} `,
      h('input', { name: 'at', type: 'datetime-local', required: true, value: localText(start) }),
    ),
    h(
      'label',
      {},
      'How many minutes ',
      h('input', { name: 'minutes', type: 'number', min: '1', required: true, value: String(duration_minutes) }),
    ),
    h('label', {}, 'Why, if you like ', h('input', { name: 'note', maxLength: 1000, autocomplete: 'off' })),
    h('p', {}, button),
  )
  return h('details', {}, h('summary', {}, 'Propose another time'), form)
}

/** The next full hour. */
export function nextHour() {
  const date = new Date()
  date.setHours(date.getHours() + 1, 0, 0, 0)
  return date
}
