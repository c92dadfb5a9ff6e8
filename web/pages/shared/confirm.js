import { h } from './dom.js'

/**
 * Asks before what cannot be undone.
 * @param {string} question @param {string} verb @returns {Promise<boolean>}
 */
export function confirmed(question, verb) {
  return new Promise(resolve => {
    const close = (/** @type {boolean} */ yes) => () => dialog.close(yes ? 'yes' : '')
    const dialog = h(
      'dialog',
      { 'aria-labelledby': 'question' },
      h('p', { id: 'question' }, question),
      h(
        'p',
        { className: 'row' },
        h('button', { type: 'button', className: 'danger', on: { click: close(true) } }, verb),
        h('button', { type: 'button', autofocus: true, on: { click: close(false) } }, 'No, go back'),
      ),
    )
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
    document.body.append(dialog)
    dialog.showModal()
  })
}
