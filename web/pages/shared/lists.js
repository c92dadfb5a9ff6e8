import { h } from './dom.js'
import { api } from './me.js'
import { busy } from './notice.js'

/** Lists come in pages. */

/** @param {string} path @param {string | number | null} cursor */
const after = (path, cursor) => (cursor ? `${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}` : path)

/** Every item of a list. @param {string} path @returns {Promise<any[]>} */
export async function listAll(path) {
  const all = []
  let cursor = null
  do {
    const page = await api.call('GET', after(path, cursor))
    all.push(...page.data)
    cursor = page.next_cursor
  } while (cursor !== null)
  return all
}

/**
 * A list that grows with each press of its button. Whatever is shown elsewhere is left out, and a page of nothing else is
 * passed over.
 * @param {string} path @param {(item: any) => HTMLLIElement | undefined} show
 */
export async function growingList(path, show) {
  const list = h('ul', { className: 'list' })
  /** @type {string | null} */
  let cursor = null
  async function grow() {
    const before = list.childElementCount
    do {
      const page = await api.call('GET', after(path, cursor))
      for (const item of page.data) list.append(show(item) ?? '')
      cursor = page.next_cursor
    } while (cursor !== null && list.childElementCount === before)
    more.hidden = cursor === null
  }
  const more = h('button', { type: 'button', on: { click: () => busy(more, grow) } }, 'Show more')
  await grow()
  return { list, more }
}
