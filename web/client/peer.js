/**
 * One RTCPeerConnection, by perfect negotiation: either side may offer at any time, and where two offers cross, the polite
 * one gives way. Whoever comes later is polite, and is also the one who begins.
 *
 * @typedef {ReturnType<typeof createPeer>} Peer
 * @typedef {{ connection: string, participant: any, display_name: string, role: string, polite: boolean }} Entry
 *
 * @param {{ entry: Entry, begins: boolean, ice_servers: RTCIceServer[],
 *   ice_transport_policy: RTCIceTransportPolicy | undefined, stream: MediaStream | undefined, may_send: boolean,
 *   send: (type: string, payload: unknown, ice_session?: string) => void,
 *   told: (event: 'stream' | 'state' | 'open' | 'data' | 'trouble', detail: object) => void }} options
 */
export function createPeer({ entry, begins, ice_servers, ice_transport_policy = 'all', stream, may_send, send, told }) {
  /** What is sent belongs together for who receives it, whatever it is at the moment. */
  const ours = new MediaStream()
  /** @type {RTCPeerConnection | undefined} */
  let pc
  /** @type {RTCDataChannel | undefined} */
  let channel
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let healing
  /**
   * What came before there was something to add it to; some engines tell where they are before they offer.
   * @type {RTCIceCandidateInit[]}
   */
  let early = []
  let offering = false
  let answering = false
  let ignoring = false
  let closed = false
  /** How often it was built anew since it last stood. */
  let tries = 0

  if (begins) open()

  function open() {
    const made = new RTCPeerConnection({
      iceServers: ice_servers,
      iceTransportPolicy: ice_transport_policy,
      bundlePolicy: 'max-bundle', // one path for all, and a third of the candidates
    })
    pc = made
    offering = answering = ignoring = false
    channel = made.createDataChannel('parley', { negotiated: true, id: 0 })
    channel.onopen = () => told('open', {})
    channel.onmessage = ({ data }) => told('data', { data })
    made.ontrack = ({ streams: [first], track }) => told('stream', { stream: first ?? new MediaStream([track]), track })
    made.onnegotiationneeded = () => offer(made).catch(error => told('trouble', { error }))
    made.onicecandidate = ({ candidate }) => {
      const sdp = made.localDescription?.sdp ?? ''
      if (candidate) send('candidate', candidate.toJSON(), candidate.usernameFragment ?? ufragOf(sdp))
      else send('end_of_candidates', null, ufragOf(sdp))
    }
    made.onconnectionstatechange = () => watch(made)
    if (begins) showOn(made)
    wait(made)
    return made
  }

  /**
   * One track of each kind: another takes the place of the one before, without a new negotiation. A camera becomes a screen
   * that way, and whoever comes later sees the screen.
   * @param {RTCPeerConnection} made
   */
  function showOn(made) {
    for (const kind of ['audio', 'video']) {
      const track = may_send ? stream?.getTracks().find(track => track.kind === kind) : undefined
      const place = made.getTransceivers().find(({ receiver }) => receiver.track.kind === kind)
      if (!place) {
        if (track) made.addTrack(track, ours)
        // Who has nothing to show wants to see all the same.
        else if (begins) made.addTransceiver(kind, { direction: 'recvonly' })
        continue
      }
      place.sender.replaceTrack(track ?? null).catch(error => told('trouble', { error }))
      const sends = place.direction === 'sendrecv' || place.direction === 'sendonly'
      if (track && !sends) {
        place.sender.setStreams(ours)
        place.direction = 'sendrecv'
      } else if (!may_send && sends) place.direction = 'recvonly'
    }
  }

  /** @param {RTCPeerConnection} made */
  async function offer(made) {
    try {
      offering = true
      await made.setLocalDescription()
      describe(made)
    } finally {
      offering = false
    }
  }

  /** As it stands now: after a rollback it would be gone. @param {RTCPeerConnection} made */
  function describe({ localDescription }) {
    if (!localDescription) return
    const { type, sdp } = localDescription
    send(type, { type, sdp }, ufragOf(sdp))
  }

  /** @param {RTCSessionDescriptionInit} description */
  async function described(description) {
    const made = pc ?? open()
    const stable = made.signalingState === 'stable' || answering
    const collides = description.type === 'offer' && (offering || !stable)
    ignoring = collides && !entry.polite
    if (ignoring) return
    answering = description.type === 'answer'
    try {
      await made.setRemoteDescription(description)
    } finally {
      answering = false
    }
    for (const candidate of early.splice(0)) if (isOf(candidate, description)) await made.addIceCandidate(candidate)
    if (description.type !== 'offer') return
    showOn(made)
    await made.setLocalDescription()
    describe(made)
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async function found(candidate) {
    const end = candidate === null || candidate.candidate === ''
    if (end) return // that there are no more, an engine finds out by itself
    if (!pc?.remoteDescription) return void early.push(candidate)
    try {
      await pc.addIceCandidate(candidate)
    } catch (error) {
      if (!ignoring) throw error
    }
  }

  /** First the paths are looked for anew; if that does not help, all is built anew. @param {RTCPeerConnection} made */
  function watch(made) {
    told('state', { state: made.connectionState })
    if (made !== pc || closed) return
    if (made.connectionState === 'connected') tries = 0
    if (made.connectionState === 'failed' && begins) made.restartIce()
    wait(made)
  }

  /** For as long as it may take. Who does not answer at all is asked less and less often. @param {RTCPeerConnection} made */
  function wait({ connectionState }) {
    clearTimeout(healing)
    const ms = patience_ms[connectionState]
    if (ms) healing = setTimeout(() => rebuild(), ms * 2 ** Math.min(tries, 4))
  }

  /** Only one side begins anew, or both would; the other asks for it. */
  function rebuild({ even_connected = false } = {}) {
    if (closed || (pc?.connectionState === 'connected' && !even_connected)) return
    tries++
    if (begins) renew()
    else send('renegotiate', { reason: 'rebuild' })
  }

  function renew() {
    send('bye', { reason: 'rebuild' })
    drop()
    open()
  }

  /** With what came for it: that is nothing to the next. */
  function drop() {
    pc?.close()
    pc = undefined
    early = []
  }

  return {
    ...entry,
    rebuild,
    get pc() {
      return pc
    },

    /** @param {import('./inbox.js').Incoming} signal */
    async use({ type, payload }) {
      if (closed) return
      if (type === 'offer' || type === 'answer') await described(payload)
      else if (type === 'candidate') await found(payload)
      else if (type === 'candidates') for (const each of payload) await found(each)
      else if (type === 'renegotiate' && begins) renew()
      else if (type === 'bye') drop()
    },

    /** @param {MediaStream | undefined} another @param {boolean} allowed */
    show(another, allowed) {
      stream = another
      may_send = allowed
      if (pc) showOn(pc)
    },

    /** @param {string} data */
    say(data) {
      if (channel?.readyState === 'open') channel.send(data)
    },

    close() {
      closed = true
      clearTimeout(healing)
      pc?.close()
    },
  }
}

/**
 * How long a connection may be so before it is built anew. One that stands needs nothing.
 * @type {{ [state: string]: number }}
 */
const patience_ms = { new: 30_000, connecting: 30_000, disconnected: 15_000, failed: 8000 }

/**
 * One that waited may be of a connection that was dropped meanwhile.
 * @param {RTCIceCandidateInit} candidate @param {RTCSessionDescriptionInit} description
 */
const isOf = ({ usernameFragment }, { sdp = '' }) =>
  !usernameFragment || sdp.includes(`a=ice-ufrag:${usernameFragment}`)

/** @param {string} sdp */
const ufragOf = sdp => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1]
