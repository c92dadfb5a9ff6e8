import { createApi } from '../client/api.js'
import { find, ready, said } from './shared/dom.js'
import { showHeader } from './shared/header.js'
import { keep } from './shared/me.js'
import { busy } from './shared/notice.js'
import { timeZone } from './shared/time.js'

const api = createApi()
const signIn = find('sign-in', HTMLFormElement)
const register = find('register', HTMLFormElement)

showHeader()
turnTo(location.hash === '#register' ? register : signIn)
find('to-register', HTMLButtonElement).addEventListener('click', () => turnTo(register))
find('to-sign-in', HTMLButtonElement).addEventListener('click', () => turnTo(signIn))
signIn.addEventListener('submit', event => submit(event, '/auth/login', said(signIn)))
register.addEventListener('submit', event =>
  submit(event, '/auth/register', { ...said(register), time_zone: timeZone() }),
)
ready()

/** @param {HTMLFormElement} form */
function turnTo(form) {
  signIn.hidden = form !== signIn
  register.hidden = form !== register
  form.querySelector('input')?.focus()
}

/** @param {SubmitEvent} event @param {string} path @param {object} body */
function submit(event, path, body) {
  event.preventDefault()
  const button = event.submitter instanceof HTMLButtonElement ? event.submitter : undefined
  busy(button, async () => {
    keep(await api.call('POST', path, body))
    location.assign(next())
  })
}

/** Where they were on their way to, if that is here: a link must not lead somebody elsewhere by way of us. */
function next() {
  const asked = new URLSearchParams(location.search).get('next') ?? ''
  const wanted = URL.canParse(asked, location.origin) ? new URL(asked, location.origin) : undefined
  return asked && wanted?.origin === location.origin ? wanted.href : '/meetings'
}
