import { backoff_ms, createApi, Problem, pause } from './api.js'
import { createHosting } from './hosting.js'
import { readInbox } from './inbox.js'
import { createOutbox } from './outbox.js'
import { createPeer } from './peer.js'
import { watchQuality } from './quality.js'

/**
 * One connection to a meeting, and through it to everybody who is inside.
 *
 * @typedef {{ origin?: string, token?: import('./api.js').Token, display_name?: string, device?: string,
 *   stream?: MediaStream, channel?: 'poll' | 'stream' | 'socket', wait_s?: number,
 *   ice_transport_policy?: RTCIceTransportPolicy, signal?: AbortSignal,
 *   waiting?: (as: { meeting_id: string, guest_token: string | undefined }) => void }} Options
 * @typedef {Awaited<ReturnType<typeof createCall>>} Call
 * @typedef {{ send: boolean, screen_share: boolean, chat: boolean, record: boolean }} Permissions
 * @typedef {{ connection: { id: string, resume_token: string }, session: { id: string, meeting_id: string },
 *   participant: { id: string, display_name: string }, role: string, permissions: Permissions,
 *   roster: import('./peer.js').Entry[], inbox: { cursor: number }, ice_servers: RTCIceServer[] }} Joined
 */

/** Makes the room of that name, or finds it. @param {string} room @param {Options} options */
export async function enterRoom(room, options = {}) {
  const { display_name, device, token } = options
  const api = createApi(options)
  const body = { display_name, ...(device ? { device } : {}) }
  const entered = await api.call('POST', `/rooms/${encodeURIComponent(room)}/enter`, body)
  const guest_token = entered.participant_token ?? undefined
  const known = api.as(guest_token ?? token)
  const { meeting_id } = entered.participant
  const joined = entered.connection ? entered : await admitted(known, meeting_id, options, guest_token)
  return createCall(known, joined, options, guest_token)
}

/** With the code of a meeting: a guest knocks, and who belongs to it by their account comes in with that. @param {string} code @param {Options & { display_name: string }} options */
export async function joinByCode(code, options) {
  const api = createApi(options)
  const { display_name } = options
  const { participant, participant_token } = await api.call('POST', `/join/${encodeURIComponent(code)}`, {
    display_name,
  })
  return joinMeeting(participant.meeting_id, { ...options, ...(participant_token ? { token: participant_token } : {}) })
}

/** By an account that is invited, or as a guest by their token. @param {string} meeting_id @param {Options} options */
export async function joinMeeting(meeting_id, options = {}) {
  const api = createApi(options)
  const guest_token = typeof options.token === 'string' ? options.token : undefined
  return createCall(api, await admitted(api, meeting_id, options, guest_token), options, guest_token)
}

/**
 * Asks until a host has let me in.
 * @param {import('./api.js').Api} api @param {string} meeting_id @param {Options} options @param {string} [guest_token]
 * @returns {Promise<Joined>}
 */
async function admitted(api, meeting_id, options, guest_token) {
  const { display_name, device, waiting, signal = new AbortController().signal } = options
  const about = { ...(display_name ? { display_name } : {}), ...(device ? { device } : {}) }
  const ask = (/** @type {number} */ wait) =>
    api.call('POST', `/meetings/${meeting_id}/join`, { ...about, wait }, signal)
  /** So that no host lets in somebody who has gone. If it is not heard, they are forgotten before long. */
  const stopWaiting = () => api.call('POST', `/meetings/${meeting_id}/leave`, {}).catch(() => {})
  let told = await ask(0)
  if (!told.connection) waiting?.({ meeting_id, guest_token })
  for (let attempt = 0; !told.connection; ) {
    try {
      await pause(200, signal)
      told = await ask(25)
      attempt = 0
    } catch (error) {
      if (signal.aborted) await stopWaiting()
      if (signal.aborted || (error instanceof Problem && !error.passes)) throw error
      await pause(backoff_ms(attempt++), signal)
    }
  }
  return told
}

/**
 * @param {import('./api.js').Api} api
 * @param {Joined} joined
 * @param {Options} options
 * @param {string} [guest_token] with which to come back, for who has no account
 */
async function createCall(api, joined, { stream, channel, wait_s, ice_transport_policy }, guest_token) {
  const { connection, session } = joined
  const meeting_id = session.meeting_id
  let { ice_servers, role, permissions } = joined
  let resume_token = connection.resume_token
  let shown = stream
  let away = false
  const ended = new AbortController()
  /** @type {Map<string, import('./peer.js').Peer>} */
  const peers = new Map()
  /** @type {Map<string, Set<(detail: any) => void>>} */
  const listeners = new Map()

  const outbox = createOutbox({ api, connection: connection.id, signal: ended.signal, settled })
  const leaveByBeacon = () => {
    const goodbye = JSON.stringify({ connection: connection.id, resume_token })
    navigator.sendBeacon(`${api.origin}/api/meetings/${meeting_id}/leave`, goodbye)
  }
  addEventListener('pagehide', leaveByBeacon)
  // Only the newcomer offers: whoever was there waits for it.
  for (const entry of joined.roster) meet(entry, true)
  const reading = readInbox({
    api,
    connection: connection.id,
    cursor: joined.inbox.cursor,
    signal: ended.signal,
    ...(channel ? { channel } : {}),
    ...(wait_s === undefined ? {} : { wait_s }),
    use,
    missed,
    lost() {
      away = true
      tell('lost', {})
    },
    resume,
    closed: end,
  })
  watchQuality({
    peers,
    signal: ended.signal,
    told: (peer, quality) => tell('quality', { peer, quality }),
    report: quality => {
      const body = { connection: connection.id, quality }
      return api.call('POST', `/meetings/${meeting_id}/heartbeat`, body, ended.signal)
    },
  })

  /** @param {string} event @param {object} detail */
  function tell(event, detail) {
    for (const listener of listeners.get(event) ?? []) {
      try {
        listener(detail)
      } catch (error) {
        reportError(error) // theirs, and nothing that the call should stand still for
      }
    }
  }

  /** @param {import('./peer.js').Entry} entry @param {boolean} begins */
  function meet(entry, begins) {
    const to = { connection: entry.connection }
    peers.get(entry.connection)?.close()
    const peer = createPeer({
      entry,
      begins,
      ice_servers,
      ice_transport_policy,
      stream: shown,
      may_send: permissions.send,
      send: (type, payload, ice_session) => outbox.send({ to, type, payload, ...(ice_session ? { ice_session } : {}) }),
      told: (event, detail) => tell(event, { peer, ...detail }),
    })
    peers.set(entry.connection, peer)
    tell('peer', { peer })
  }

  /** @param {string} id @param {string} reason */
  function part(id, reason) {
    const peer = peers.get(id)
    peer?.close()
    if (peers.delete(id)) tell('left', { peer, reason })
  }

  /** Returns whether I am another by it, and have to ask what I may do. @param {import('./inbox.js').Incoming} signal */
  async function use({ type, from, payload, ...rest }) {
    if (type === 'peer_joined') {
      const { participant, ...entry } = payload
      meet({ ...participant, ...entry, participant: participant.id }, false)
    } else if (type === 'peer_updated') updated(payload)
    else if (type === 'peer_left') part(payload.connection, payload.reason)
    else if (from && peers.has(from.connection) && isOfNegotiation(type)) {
      const peer = peers.get(from.connection)
      // One that cannot be used must not keep all others from being read.
      await peer?.use({ type, from, payload, ...rest }).catch(error => {
        tell('trouble', { peer, error })
        peer.rebuild()
      })
    } else tell(type, { from, payload, peer: from ? peers.get(from.connection) : undefined })
    const isMine = type === 'peer_updated' && payload.connection === connection.id
    return isMine || (type === 'meeting' && payload.change === 'updated')
  }

  /** Somebody has another role. @param {any} payload */
  function updated({ connection: id, participant }) {
    const peer = peers.get(id)
    if (!peer) return
    peer.role = participant.role
    tell('peer_updated', { peer })
  }

  /** Some of what was sent to me has expired: whoever is not connected yet begins anew. @param {import('./inbox.js').Gap} gap */
  function missed(gap) {
    tell('gap', gap)
    if (gap.reason === 'expired') for (const peer of peers.values()) peer.rebuild()
  }

  /**
   * After a lost network, or a server that was away, and when what I may do has changed. Who came and went meanwhile, the
   * inbox tells.
   * @param {number} cursor
   */
  async function resume(cursor) {
    const body = { connection: connection.id, resume_token, cursor }
    const told = await api.call('POST', '/rtc/resume', body, ended.signal)
    resume_token = told.connection.resume_token
    ice_servers = told.ice_servers
    outbox.goOnAt(told.inbox.send_next)
    if (away) tell('resumed', told)
    away = false
    const changed = role !== told.role || JSON.stringify(permissions) !== JSON.stringify(told.permissions)
    ;({ role, permissions } = told)
    if (changed) {
      for (const each of peers.values()) each.show(shown, permissions.send)
      tell('permissions', { role, permissions })
    }
    return told.inbox.cursor
  }

  /** @param {import('./outbox.js').Signal} signal @param {import('./outbox.js').Result | Problem} outcome */
  function settled(signal, outcome) {
    const peer = peers.get(signal.to.connection)
    if (outcome instanceof Problem) {
      tell('trouble', { error: outcome, signal, peer })
      // They wait for what will not come.
      if (signal.type === 'offer' || signal.type === 'answer') peer?.rebuild({ even_connected: true })
    }
    // What was not stored leaves a hole in the negotiation; the pair is open again for a new offer.
    else if (outcome.status === 'backlogged') peer?.rebuild()
  }

  /** @param {string} reason */
  function end(reason) {
    if (ended.signal.aborted) return
    removeEventListener('pagehide', leaveByBeacon)
    ended.abort()
    for (const id of [...peers.keys()]) part(id, 'ended')
    tell('ended', { reason })
  }

  return {
    ...joined,
    api,
    meeting_id,
    guest_token,
    hosting: createHosting(api, meeting_id),
    /** As what I am here, and what I may do: both can change. */
    get role() {
      return role
    },
    get permissions() {
      return permissions
    },
    /** Everybody else, by connection. @type {ReadonlyMap<string, import('./peer.js').Peer>} */
    peers,

    /**
     * peer, peer_updated, left, stream, state, quality, open, data, permissions, lost, resumed, gap, trouble, ended; and whatever else
     * the inbox tells: chat, recording, meeting, custom.… Returns the way to stop listening.
     * @param {string} event @param {(detail: any) => void} listener
     */
    on(event, listener) {
      const all = listeners.get(event) ?? new Set()
      listeners.set(event, all.add(listener))
      return () => void all.delete(listener)
    },

    /** Shows something to everybody, now and later, in place of what was shown. @param {MediaStream} another */
    show(another) {
      shown = another
      for (const peer of peers.values()) peer.show(another, permissions.send)
    },

    /** To one of them, or to all, directly. @param {string} data @param {import('./peer.js').Peer} [peer] */
    say(data, peer) {
      for (const each of peer ? [peer] : peers.values()) each.say(data)
    },

    /** By the server: kept, and delivered in order. @param {string} type @param {unknown} payload @param {string} to */
    signal: (type, payload, to) => outbox.send({ to: { connection: to }, type: `custom.${type}`, payload }),

    /** @param {string} text */
    chat: text => api.call('POST', `/meetings/${meeting_id}/messages`, { text, connection: connection.id }),

    async leave() {
      if (ended.signal.aborted) return
      end('left') // first, or the poll that is held would be told that it is over
      await api.call('POST', `/meetings/${meeting_id}/leave`, { connection: connection.id })
      await reading
    },
  }
}

const ofNegotiation = ['offer', 'answer', 'candidate', 'candidates', 'end_of_candidates', 'renegotiate', 'bye']
/** @param {string} type */
const isOfNegotiation = type => ofNegotiation.includes(type)
