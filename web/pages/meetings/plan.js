import { find, h, said } from '../shared/dom.js'
import { api } from '../shared/me.js'
import { busy } from '../shared/notice.js'
import { timeZone } from '../shared/time.js'
import { rules, typeWords } from '../shared/words.js'

/** A new meeting, and the way into one by its code. */

export function offerPlan() {
  const form = find('plan', HTMLFormElement)
  choices(form, 'type', Object.entries(typeWords))
  choices(form, 'recurrence', rules)
  form.addEventListener('submit', event => {
    event.preventDefault()
    busy(form.querySelector('button'), async () => {
      const { id } = await api.call('POST', '/meetings', planned(said(form)))
      location.assign(`/meeting?id=${id}`)
    })
  })
}

/** The time goes as it is on my wall, with my zone: a series keeps it when the clocks change. @param {{ [name: string]: string }} fields */
function planned({ duration_minutes, lobby, guests, ...fields }) {
  return {
    ...fields,
    duration_minutes: Number(duration_minutes),
    time_zone: timeZone(),
    ...(lobby && { lobby: lobby === 'yes' }),
    ...(guests && { guests: guests === 'yes' }),
  }
}

/** @param {HTMLFormElement} form @param {string} name @param {string[][]} all */
function choices(form, name, all) {
  const select = /** @type {HTMLSelectElement} */ (form.elements.namedItem(name))
  select.append(...all.map(([value, text]) => h('option', { value }, text)))
}

export function offerCode() {
  const form = find('by-code', HTMLFormElement)
  form.addEventListener('submit', event => {
    event.preventDefault()
    const { code = '' } = said(form)
    busy(form.querySelector('button'), async () => {
      await api.call('GET', `/join/${encodeURIComponent(code)}`)
      location.assign(`/?${new URLSearchParams({ code })}`)
    })
  })
}
