import { Problem } from '../../client/api.js'
import { find, h } from './dom.js'
import { busy, tell, wordsFor } from './notice.js'

/**
 * A part of a page, which loads on its own. What somebody may not see is left out, and what goes wrong is said in its place.
 * @param {string} id @param {() => Promise<(Node | string)[] | undefined>} load undefined when there is nothing to show
 */
export function section(id, load) {
  const place = find(id, HTMLElement)
  const heading = /** @type {HTMLElement} */ (place.querySelector('h2'))
  const body = h('div', { className: 'body' })
  place.append(body)
  heading.tabIndex = -1

  async function refresh() {
    place.setAttribute('aria-busy', 'true')
    try {
      const loaded = await load()
      body.replaceChildren(...(loaded ?? []))
      place.hidden = loaded === undefined
    } catch (error) {
      place.hidden = error instanceof Problem && error.status === 403
      const again = h('button', { type: 'button', on: { click: () => busy(again, refresh) } }, 'Try again')
      body.replaceChildren(h('p', { role: 'alert' }, wordsFor(error)), again)
    } finally {
      place.removeAttribute('aria-busy')
    }
  }

  return {
    refresh,
    /**
     * After what was done the section is another one; whoever uses a keyboard goes on from its heading.
     * @param {HTMLButtonElement | null | undefined} button @param {() => Promise<unknown>} work @param {string} done
     */
    act: (button, work, done) =>
      busy(button, async () => {
        await work()
        await refresh()
        heading.focus()
        tell(done)
      }),
  }
}

/** @typedef {ReturnType<typeof section>} Section */
