import { type RTCDataChannel, type RTCIceCandidateInit, RTCPeerConnection } from 'werift'

/**
 * A client as somebody writes it who has read the contract, section 7, and nothing of `web/`: the REST API, and a WebRTC
 * engine that is no browser's. It offers to whoever is inside when it comes, and answers whoever comes later. It talks on
 * the data channel that Parley's own pages have: `parley`, negotiated, number 0.
 */

interface Entered {
  participant_token: string
  connection: { id: string }
  session: { meeting_id: string }
  roster: { connection: string }[]
  inbox: { cursor: number }
  ice_servers: { urls: string[]; username?: string; credential?: string }[]
}

interface Page {
  signals: Signal[]
  cursor: number
  gap: object | null
}

type Signal = Told & { from: { connection: string } | null }
type Candidate = RTCIceCandidateInit | null
type Told =
  | { type: 'offer' | 'answer'; payload: { type: 'offer' | 'answer'; sdp: string } }
  | { type: 'candidate'; payload: Candidate }
  | { type: 'candidates'; payload: Candidate[] }
  | { type: 'end_of_candidates' | 'renegotiate' | 'bye' | 'peer_left' }

interface Pair {
  pc: RTCPeerConnection
  channel: RTCDataChannel
}

export type Independent = Awaited<ReturnType<typeof enterIndependently>>

export async function enterIndependently(origin: string, room: string, display_name: string) {
  const entered: Entered = await call(`${origin}/api`, 'POST', `/rooms/${room}/enter`, { body: { display_name } })
  const { participant_token: token, connection, session, roster, inbox, ice_servers } = entered
  const api = (method: string, path: string, more: More) => call(`${origin}/api`, method, path, { ...more, token })
  const pairs = new Map<string, Pair>()
  const heard: string[] = []
  const found: string[] = []
  const leaving = new AbortController()
  let sent = 0
  let sending = Promise.resolve()

  for (const peer of roster) await offer(peer.connection)
  const reading = read()

  /** What is sent is numbered, and leaves in its order: the next when the one before has been answered. */
  function send(to: string, type: string, payload: unknown): void {
    const signals = [{ to: { connection: to }, type, payload }]
    const body = { connection: connection.id, first_seq: ++sent, signals }
    sending = sending.then(() => api('POST', '/rtc/signals', { body }))
  }

  /** Asks for what comes after the last that was used, and acknowledges that with the same request. */
  async function read(): Promise<void> {
    for (let used = inbox.cursor; ; ) {
      const query = `connection=${connection.id}&after=${used}&ack=${used}&wait=25`
      const page: Page = await api('GET', `/rtc/inbox?${query}`, { signal: leaving.signal })
      if (page.gap) throw new Error(`Something was lost: ${JSON.stringify(page.gap)}`)
      for (const { from, ...told } of page.signals) if (from) await use(from.connection, told)
      used = page.cursor
    }
  }

  async function use(from: string, told: Told): Promise<void> {
    if (told.type === 'offer') {
      const { pc } = pairWith(from)
      await pc.setRemoteDescription(told.payload)
      await pc.setLocalDescription(await pc.createAnswer())
      describe(from, pc)
    } else if (told.type === 'answer') await pairWith(from).pc.setRemoteDescription(told.payload)
    else if (told.type === 'candidate') await add(from, [told.payload])
    else if (told.type === 'candidates') await add(from, told.payload)
    else if (told.type === 'renegotiate') await offer(from)
    else if (told.type === 'bye' || told.type === 'peer_left') await part(from)
  }

  async function offer(to: string): Promise<void> {
    const { pc } = pairWith(to)
    await pc.setLocalDescription(await pc.createOffer())
    describe(to, pc)
  }

  /** Without its candidates: those have been told already, for this engine finds them before it describes itself. */
  function describe(to: string, { localDescription }: RTCPeerConnection): void {
    if (!localDescription) throw new Error('There is nothing to tell yet')
    const { type, sdp } = localDescription
    send(to, type, { type, sdp: sdp.replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '') })
  }

  /** One that is empty or null says that there are no more, which this engine need not be told. */
  async function add(from: string, candidates: Candidate[]): Promise<void> {
    for (const each of candidates) if (each?.candidate) await pairWith(from).pc.addIceCandidate(each)
  }

  function pairWith(other: string): Pair {
    const known = pairs.get(other)
    if (known) return known
    // Its own loopback, too: that is all the network a machine under test may have.
    const pc = new RTCPeerConnection({ iceServers: ice_servers, iceAdditionalHostAddresses: ['127.0.0.1'] })
    const channel = pc.createDataChannel('parley', { negotiated: true, id: 0 })
    channel.onmessage = ({ data }) => heard.push(String(data))
    pc.onIceCandidate.subscribe(candidate => {
      if (candidate) found.push(candidate.candidate)
      if (candidate) send(other, 'candidate', candidate.toJSON())
      else send(other, 'end_of_candidates', null)
    })
    const pair = { pc, channel }
    pairs.set(other, pair)
    return pair
  }

  async function part(other: string): Promise<void> {
    await pairs.get(other)?.pc.close()
    pairs.delete(other)
  }

  return {
    /** What others have said directly, in the order in which it came. */
    heard: heard as readonly string[],
    /** Where it can be reached, as it has told. */
    found: found as readonly string[],

    /** To everybody who can hear it by now. */
    say(data: string): void {
      for (const { channel } of pairs.values()) if (channel.readyState === 'open') channel.send(data)
    },

    /** Rejects if anything went wrong on the way. */
    async leave(): Promise<void> {
      leaving.abort()
      await reading.catch(error => {
        if (error.name !== 'AbortError') throw error
      })
      await sending
      for (const other of pairs.keys()) await part(other)
      await api('POST', `/meetings/${session.meeting_id}/leave`, { body: { connection: connection.id } })
    },
  }
}

interface More {
  token?: string
  body?: object
  signal?: AbortSignal
}

async function call(api: string, method: string, path: string, { token, body, signal }: More) {
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }
  const json = body ? { body: JSON.stringify(body) } : {}
  const reply = await fetch(`${api}${path}`, { method, headers, ...json, ...(signal ? { signal } : {}) })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
  return JSON.parse(text)
}
