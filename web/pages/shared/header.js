import { find, h } from './dom.js'
import { askToSignIn, me, signOut } from './me.js'

/** The links at the head of each page, by whether somebody is signed in. */
export function showHeader() {
  const user = me()
  const link = (/** @type {string} */ href, /** @type {string} */ text) =>
    h('a', { href, 'aria-current': location.pathname === href ? 'page' : undefined }, text)
  const mine = user
    ? [
        link('/meetings', 'My meetings'),
        h('span', { className: 'who' }, user.name),
        h('button', { type: 'button', className: 'plain', on: { click: signOut } }, 'Sign out'),
      ]
    : [
        location.pathname !== '/sign-in' &&
          h('button', { type: 'button', className: 'plain', on: { click: askToSignIn } }, 'Sign in'),
      ]
  find('nav', HTMLElement).replaceChildren(...mine.filter(each => each !== false), link('/docs', 'API'))
}
