import { Problem } from '../../client/api.js'
import { find } from './dom.js'

/** The line at the foot of each page, which screen readers say aloud. */

/** @param {string} text @param {'good' | 'bad'} [kind] */
export function tell(text, kind = 'good') {
  const notice = find('notice', HTMLElement)
  notice.textContent = text
  notice.className = kind
}

/** @param {unknown} error */
export function tellProblem(error) {
  if (!(error instanceof Problem)) console.error(error)
  tell(wordsFor(error), 'bad')
}

/**
 * While something is under way its button cannot be pressed again. What goes wrong is told.
 * @param {HTMLButtonElement | null | undefined} button @param {() => Promise<unknown>} work
 */
export async function busy(button, work) {
  if (button) button.disabled = true
  try {
    await work()
  } catch (error) {
    tellProblem(error)
  } finally {
    if (button) button.disabled = false
  }
}

/** What somebody can do about it, where that is known; else what the server says. @param {unknown} error */
export function wordsFor(error) {
  // What fetch throws when nobody answers, and when nobody has for long.
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return unreachable
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error)
  const field = error.errors[0]
  return words[error.code] ?? (field ? `${field.path} ${field.message}` : error.message)
}

const unreachable = 'The server cannot be reached. Look at your network, and try again.'

/** @type {{ [code: string]: string }} */
const words = {
  route_not_found: 'This server has no quick rooms.',
  meeting_full: 'The room is full.',
  meeting_locked: 'The room is locked: nobody new comes in.',
  needs_media_provider: 'So many cannot send at once here. Try again when somebody has left.',
  rate_limited: 'That was too fast. Wait a moment.',
  not_live: 'The meeting has not begun. Try again when its host has opened it.',
  denied: 'A host has not let you in. Try again later.',
  banned: 'A host has banned you from this meeting.',
  guests_refused: 'This meeting is for invited people only. Sign in first.',
  stale_sequence: 'The meeting has been moved meanwhile. Look at its new time, and answer again.',
  stale: 'Somebody has changed this meanwhile. Load the page again, and look at it first.',
  meeting_over: 'The meeting is over: nothing is answered any more.',
  wrong_credentials: 'E-mail address or password is wrong.',
}
