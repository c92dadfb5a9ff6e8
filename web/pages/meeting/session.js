import { find, h } from '../shared/dom.js'
import { busy } from '../shared/notice.js'
import { dateAndTime } from '../shared/time.js'

/** Which of the meetings held under one name the lower part of the page is about: the latest, until another is chosen. */
export function chooseSession() {
  const select = find('session-choice', HTMLSelectElement)
  /** @type {string | undefined} */
  let chosen
  /** @type {(() => Promise<unknown>)[]} */
  const listeners = []

  /** @param {string} session_id */
  async function choose(session_id) {
    chosen = session_id
    select.value = session_id
    await Promise.all(listeners.map(changed => changed()))
  }
  select.addEventListener('change', () => busy(null, () => choose(select.value)))

  return {
    choose,
    /** For a query. */
    query: () => (chosen === undefined ? '' : `&session_id=${chosen}`),
    onChange: (/** @type {() => Promise<unknown>} */ changed) => listeners.push(changed),
    /** The latest first. @param {import('../shared/told.js').Attendance[]} attendances */
    offer(attendances) {
      const began = new Map()
      for (const { session_id, joined_at } of attendances) {
        if (!(began.get(session_id) < joined_at)) began.set(session_id, joined_at)
      }
      const latestFirst = [...began].sort(([, one], [, other]) => (one < other ? 1 : -1))
      select.replaceChildren(...latestFirst.map(([value, at]) => h('option', { value }, dateAndTime(at))))
      if (chosen) select.value = chosen
      find('session', HTMLElement).hidden = began.size < 2
    },
  }
}

/** @typedef {ReturnType<typeof chooseSession>} Session */
