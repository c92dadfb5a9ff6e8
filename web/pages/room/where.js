import { createApi, Problem } from '../../client/api.js'
import { enterRoom, joinByCode, joinMeeting } from '../../parley.js'
import { me, token } from '../shared/me.js'

/**
 * Which room this page leads to, by its address: `?room=` is a quick room, `?code=` a meeting for a guest, `?meeting=` one
 * for somebody with an account, or with the token that a guest was given for it.
 *
 * @typedef {{ room?: string, code?: string, meeting?: string }} Where
 * @typedef {Where & { meeting_id: string, participant_token: string, display_name?: string, by?: string }} Guest
 */

const query = new URLSearchParams(location.search)
const given = (/** @type {string} */ name) => (query.get(name) ? { [name]: query.get(name) } : {})

/** @type {Where} */
export const asked = { ...given('room'), ...given('code'), ...given('meeting') }
export const askedName = query.get('name') ?? ''

/** Where others come in by. @param {Where} where @param {{ join_code: string }} meeting */
export function linkOf({ room }, { join_code }) {
  const [name, value] = room ? ['room', room] : ['code', join_code]
  return `${location.origin}/?${new URLSearchParams({ [name]: value })}`
}

/** A guest who reloads the page, or who comes from their invitation, is the same guest. */
const place = 'parley.guest'

/** @param {Where} where @returns {Guest | undefined} */
export function guestOf({ room, code, meeting }) {
  /** @type {Guest | null} */
  const kept = JSON.parse(sessionStorage.getItem(place) ?? 'null')
  const same = room ? kept?.room === room : code ? kept?.code === code : kept?.meeting_id === meeting
  // Whoever has signed in since is somebody else.
  return kept && same && kept.by === me()?.id ? kept : undefined
}

/**
 * @param {Where} where
 * @param {{ display_name: string, stream: MediaStream, waiting: () => void, signal: AbortSignal }} options
 * @returns {Promise<import('../../client/call.js').Call>}
 */
export async function enter(where, { display_name, stream, waiting, signal }) {
  const { room, code, meeting } = where
  const guest = guestOf(where)
  /** @param {{ meeting_id: string, guest_token?: string | undefined }} as */
  const keep = ({ meeting_id, guest_token }) => {
    if (!guest_token) return
    const kept = { ...where, meeting_id, participant_token: guest_token, display_name, by: me()?.id }
    sessionStorage.setItem(place, JSON.stringify(kept))
  }
  const known = guest?.participant_token ?? (me() ? token : undefined)
  const options = {
    display_name,
    stream,
    signal,
    device: deviceOf(navigator.userAgent),
    waiting(/** @type {Parameters<typeof keep>[0]} */ as) {
      keep(as)
      waiting()
    },
    ...(known ? { token: known } : {}),
  }
  try {
    const call = room
      ? await enterRoom(room, options)
      : code && !guest
        ? await joinByCode(code, options)
        : await joinMeeting(guest?.meeting_id ?? meeting ?? '', options)
    keep(call)
    return call
  } catch (error) {
    // A token from before: the server has another secret by now, or the meeting is not there any more.
    if (!guest || !isUnknown(error)) throw error
    sessionStorage.removeItem(place)
    return enter(where, { display_name, stream, waiting, signal })
  }
}

/**
 * What there is to say of a meeting before one is inside.
 * @param {Where} where @returns {Promise<{ title: string } | undefined>}
 */
export async function lookAt(where) {
  if (where.code) return createApi().call('GET', `/join/${encodeURIComponent(where.code)}`)
  if (!where.meeting) return undefined
  const guest = guestOf(where)
  try {
    return await createApi({ token: guest?.participant_token ?? token }).call('GET', `/meetings/${where.meeting}`)
  } catch (error) {
    if (!guest || !isUnknown(error)) throw error
    sessionStorage.removeItem(place)
    return lookAt(where)
  }
}

/** @param {unknown} error */
const isUnknown = error => error instanceof Problem && (error.status === 401 || error.status === 404)

/** Enough to tell one’s devices apart. @param {string} agent */
function deviceOf(agent) {
  const browser = ['Firefox', 'Edg', 'Chrome', 'Safari'].find(name => agent.includes(name))?.replace('Edg', 'Edge')
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac', 'Linux'].find(name => agent.includes(name))
  return [browser ?? 'Browser', system].filter(Boolean).join(' on ')
}
