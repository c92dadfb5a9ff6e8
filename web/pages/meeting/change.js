import { h, said } from '../shared/dom.js'
import { api } from '../shared/me.js'
import { busy, wordsFor } from '../shared/notice.js'
import { instantOf, localText, placeOf, timeZone } from '../shared/time.js'

/** @typedef {import('../shared/told.js').Meeting} Meeting */

/**
 * A dialog for the title, and for the time while it is planned. What is wrong is told in it, for it covers the page.
 * @param {Meeting} meeting @param {() => unknown} changed
 */
export async function change(meeting, changed) {
  const { id, version, title, description, status, scheduled_at, duration_minutes } = meeting
  const at = scheduled_at === null ? '' : localText(new Date(scheduled_at))
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) => h('label', {}, `${label} `, input)
  const save = h('button', { type: 'submit', className: 'primary' }, 'Save')
  const wrong = h('p', { role: 'alert', className: 'wrong' })
  const form = h(
    'form',
    { on: { submit } },
    h('h2', { id: 'change-heading' }, 'Change the meeting'),
    field('Title', h('input', { name: 'title', required: true, maxLength: 200, value: title, autocomplete: 'off' })),
    field('What it is about', h('textarea', { name: 'description', maxLength: 5000, value: description })),
    ...(status === 'scheduled'
      ? [
          field(
            `When, in the time of ${placeOf(timeZone())}; whoever has accepted is asked again`,
            h('input', { name: 'at', type: 'datetime-local', value: at }),
          ),
          field(
            'How many minutes',
            h('input', { name: 'minutes', type: 'number', min: '1', required: true, value: `${duration_minutes}` }),
          ),
        ]
      : []),
    wrong,
    h('p', { className: 'row' }, save, h('button', { type: 'button', on: { click: () => dialog.close() } }, 'Go back')),
  )
  const dialog = h('dialog', { 'aria-labelledby': 'change-heading', on: { close: () => dialog.remove() } }, form)
  document.body.append(dialog)
  dialog.showModal()

  /** Only what is another now: the same minute may have been another second. @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault()
    const told = said(form)
    const body = {
      title: told.title,
      description: told.description ?? '',
      ...(told.at && told.at !== at && { scheduled_at: instantOf(told.at) }),
      ...(told.minutes && { duration_minutes: Number(told.minutes) }),
    }
    busy(save, async () => {
      try {
        await api.change(`/meetings/${id}`, version, body)
      } catch (error) {
        wrong.textContent = wordsFor(error)
        return
      }
      dialog.close()
      changed()
    })
  }
}
