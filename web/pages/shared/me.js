import { createApi, Problem } from '../../client/api.js'

/**
 * Who I am on this browser. The login is kept where all tabs find it, and is renewed by one tab at a time, for a refresh
 * token is good for one refresh: two tabs that use the same would end the login.
 *
 * @typedef {{ id: string, name: string, email: string, time_zone: string }} User
 * @typedef {{ user: User, access_token: string, refresh_token: string, fresh_until: number }} Login
 * @typedef {{ user: User, access_token: string, refresh_token: string, expires_in: number }} Tokens
 */

const place = 'parley.login'

/** @returns {Login | undefined} */
const login = () => JSON.parse(localStorage.getItem(place) ?? 'null') ?? undefined

/** @param {Tokens} tokens */
export function keep({ user, access_token, refresh_token, expires_in }) {
  const fresh_until = Date.now() + (expires_in - 60) * 1000
  localStorage.setItem(place, JSON.stringify({ user, access_token, refresh_token, fresh_until }))
}

const forget = () => localStorage.removeItem(place)

export const me = () => login()?.user

/** Calls as me. Whoever is not logged in any more is asked to log in, and comes back to this page. */
export const api = createApi({
  token,
  unknown() {
    forget()
    return askToSignIn()
  },
})

/** @returns {Promise<string>} */
export async function token() {
  const kept = login()
  if (!kept) return askToSignIn()
  return Date.now() < kept.fresh_until ? kept.access_token : alone(renew)
}

/** @type {Promise<string> | undefined} */
let renewing

/** In this tab, and where the page came by https among all tabs. @param {() => Promise<string>} work */
function alone(work) {
  const locked = () => ('locks' in navigator ? navigator.locks.request('parley.refresh', work) : work())
  renewing ??= locked().finally(() => {
    renewing = undefined
  })
  return renewing
}

async function renew() {
  const kept = login()
  if (!kept) return askToSignIn()
  if (Date.now() < kept.fresh_until) return kept.access_token // another tab has done it
  try {
    const tokens = await createApi().call('POST', '/auth/refresh', { refresh_token: kept.refresh_token })
    keep(tokens)
    return tokens.access_token
  } catch (error) {
    if (!(error instanceof Problem) || error.passes) throw error
    forget()
    return askToSignIn()
  }
}

/** @returns {Promise<never>} for the page goes */
export function askToSignIn() {
  const here = `${location.pathname}${location.search}${location.hash}`
  location.assign(`/sign-in?${new URLSearchParams({ next: here })}`)
  return new Promise(() => {})
}

export async function signOut() {
  const refresh_token = login()?.refresh_token
  try {
    await api.call('POST', '/auth/logout', { refresh_token })
  } finally {
    forget()
    sessionStorage.clear()
    location.assign('/')
  }
}
