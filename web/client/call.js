import { createApi, Problem, pause } from './api.js'
import { readInbox } from './inbox.js'
import { createOutbox } from './outbox.js'
import { createPeer } from './peer.js'

/**
 * One connection to a meeting, and through it to everybody who is inside.
 *
 * @typedef {{ origin?: string, token?: import('./api.js').Token, display_name?: string, stream?: MediaStream, device?: string, wait_s?: number,
 *   waiting?: () => void, signal?: AbortSignal }} Options
 * @typedef {Awaited<ReturnType<typeof createCall>>} Call
 * @typedef {{ connection: { id: string, resume_token: string }, session: { id: string, meeting_id: string },
 *   participant: { id: string, display_name: string }, role: string, permissions: { send: boolean, chat: boolean },
 *   roster: import('./peer.js').Entry[], inbox: { cursor: number }, ice_servers: RTCIceServer[] }} Joined
 */

/** Makes the room of that name, or finds it. @param {string} room @param {Options} options */
export async function enterRoom(room, options = {}) {
  const { display_name, device, token } = options
  const api = createApi(options)
  const body = { display_name, ...(device ? { device } : {}) }
  const entered = await api.call('POST', `/rooms/${encodeURIComponent(room)}/enter`, body)
  const mine = entered.participant_token ?? token
  const known = api.as(mine)
  const joined = entered.connection ? entered : await admitted(known, entered.participant.meeting_id, options)
  return createCall(known, joined, options)
}

/** By an account that is invited, or as a guest by their token. @param {string} meeting_id @param {Options} options */
export async function joinMeeting(meeting_id, options = {}) {
  const api = createApi(options)
  return createCall(api, await admitted(api, meeting_id, options), options)
}

/**
 * Asks until a host has let me in.
 * @param {import('./api.js').Api} api @param {string} meeting_id @param {Options} options
 */
async function admitted(api, meeting_id, { display_name, device, waiting, signal = new AbortController().signal }) {
  const about = { ...(display_name ? { display_name } : {}), ...(device ? { device } : {}) }
  for (let asked = 0; ; asked++) {
    const joined = await api.call('POST', `/meetings/${meeting_id}/join`, { ...about, wait: asked ? 25 : 0 }, signal)
    if (joined.connection) return joined
    if (asked === 0) waiting?.()
    await pause(200, signal)
  }
}

/**
 * @param {import('./api.js').Api} api
 * @param {Joined} joined
 * @param {Options} options
 */
async function createCall(api, joined, { stream, wait_s }) {
  const { connection, session, permissions } = joined
  const meeting_id = session.meeting_id
  let { ice_servers } = joined
  let resume_token = connection.resume_token
  let shown = stream
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
    ...(wait_s === undefined ? {} : { wait_s }),
    use,
    missed,
    resume,
    closed: end,
  })

  /** @param {string} event @param {object} detail */
  function tell(event, detail) {
    for (const listener of listeners.get(event) ?? []) listener(detail)
  }

  /** @param {import('./peer.js').Entry} entry @param {boolean} begins */
  function meet(entry, begins) {
    const to = { connection: entry.connection }
    const peer = createPeer({
      entry,
      begins,
      ice_servers,
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

  /** @param {import('./inbox.js').Incoming} signal */
  async function use({ type, from, payload, ...rest }) {
    if (type === 'peer_joined') {
      const { participant, ...entry } = payload
      meet({ ...participant, ...entry, participant: participant.id }, false)
    } else if (type === 'peer_left') part(payload.connection, payload.reason)
    else if (from && peers.has(from.connection) && isOfNegotiation(type)) {
      const peer = peers.get(from.connection)
      // One that cannot be used must not keep all others from being read.
      await peer?.use({ type, from, payload, ...rest }).catch(error => {
        tell('trouble', { peer, error })
        peer.rebuild()
      })
    } else tell(type, { from, payload, peer: from ? peers.get(from.connection) : undefined })
  }

  /** Some of what was sent to me has expired: whoever is not connected yet begins anew. @param {import('./inbox.js').Gap} gap */
  function missed(gap) {
    tell('gap', gap)
    if (gap.reason === 'expired') for (const peer of peers.values()) peer.rebuild()
  }

  /**
   * After a lost network, or a server that was away: who is inside now?
   * @param {number} cursor
   */
  async function resume(cursor) {
    const body = { connection: connection.id, resume_token, cursor }
    const told = await api.call('POST', '/rtc/resume', body, ended.signal)
    resume_token = told.connection.resume_token
    ice_servers = told.ice_servers
    outbox.goOnAt(told.inbox.send_next)
    tell('resumed', told)
    return told.inbox.cursor
  }

  /** @param {import('./outbox.js').Signal} signal @param {import('./outbox.js').Result | Problem} outcome */
  function settled(signal, outcome) {
    if (outcome instanceof Problem) tell('trouble', { error: outcome, signal })
    // What was not stored leaves a hole in the negotiation; the pair is open again for a new offer.
    else if (outcome.status === 'backlogged') peers.get(signal.to.connection)?.rebuild()
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
    /** Everybody else, by connection. @type {ReadonlyMap<string, import('./peer.js').Peer>} */
    peers,

    /**
     * peer, left, stream, state, data, resumed, gap, trouble, ended; and whatever else the inbox tells: chat, recording,
     * meeting, peer_updated, custom.… Returns the way to stop listening.
     * @param {string} event @param {(detail: any) => void} listener
     */
    on(event, listener) {
      const all = listeners.get(event) ?? new Set()
      listeners.set(event, all.add(listener))
      return () => void all.delete(listener)
    },

    /** Shows something to everybody, now and later. @param {MediaStream} another */
    show(another) {
      shown = another
      for (const peer of peers.values()) peer.show(another)
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
