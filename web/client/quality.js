import { pause } from './api.js'

/**
 * How well it goes, by what the browser counts.
 *
 * @typedef {{ rtt_ms?: number, loss?: number, bitrate?: number }} Quality
 * @typedef {{ at: number, lost: number, received: number, bytes: number }} Counted
 */

const every_ms = 3000
/** So many looks later the server is told, which keeps it with the attendance. */
const reported = 10

/**
 * @param {{ peers: ReadonlyMap<string, import('./peer.js').Peer>, signal: AbortSignal,
 *   told: (peer: import('./peer.js').Peer, quality: Quality) => void, report: (quality: Quality) => Promise<unknown> }} options
 */
export async function watchQuality({ peers, signal, told, report }) {
  /** @type {WeakMap<RTCPeerConnection, Counted>} */
  const before = new WeakMap()
  for (let looks = 1; ; looks++) {
    await pause(every_ms, signal)
    if (signal.aborted) return
    const all = await Promise.all(
      [...peers.values()].map(async peer => {
        const quality = peer.pc?.connectionState === 'connected' ? await measure(peer.pc) : undefined
        if (quality) told(peer, quality)
        return quality
      }),
    )
    const measured = all.filter(quality => quality !== undefined)
    // What is not told now is told the next time.
    if (looks % reported === 0 && measured.length > 0) await report(worstOf(measured)).catch(() => {})
  }

  /** @param {RTCPeerConnection} pc @returns {Promise<Quality>} */
  async function measure(pc) {
    const now = { at: performance.now(), lost: 0, received: 0, bytes: 0 }
    let rtt_ms
    for (const report of (await pc.getStats()).values()) {
      if (report.type === 'inbound-rtp') {
        now.lost += report.packetsLost ?? 0
        now.received += report.packetsReceived ?? 0
        now.bytes += report.bytesReceived ?? 0
      } else if (report.type === 'candidate-pair' && report.nominated && report.currentRoundTripTime !== undefined) {
        rtt_ms = report.currentRoundTripTime * 1000
      }
    }
    const last = before.get(pc)
    before.set(pc, now)
    const path = rtt_ms === undefined ? {} : { rtt_ms }
    if (!last) return path
    // Packets that come after all are taken back from what was lost.
    const lost = Math.max(0, now.lost - last.lost)
    const expected = lost + now.received - last.received
    const bitrate = Math.max(0, ((now.bytes - last.bytes) * 8000) / (now.at - last.at))
    return { ...path, bitrate, ...(expected > 0 ? { loss: lost / expected } : {}) }
  }
}

/** @param {Quality[]} all @returns {Quality} */
function worstOf(all) {
  const known = (/** @type {keyof Quality} */ name) => all.flatMap(quality => quality[name] ?? [])
  const [rtt_ms, loss, bitrate] = [known('rtt_ms'), known('loss'), known('bitrate')]
  return {
    ...(rtt_ms.length > 0 ? { rtt_ms: Math.max(...rtt_ms) } : {}),
    ...(loss.length > 0 ? { loss: Math.max(...loss) } : {}),
    ...(bitrate.length > 0 ? { bitrate: Math.min(...bitrate) } : {}),
  }
}

/** In a word, for people. @param {Quality} quality @returns {'good' | 'fair' | 'poor'} */
export function wordFor({ rtt_ms = 0, loss = 0 }) {
  if (loss > 0.08 || rtt_ms > 600) return 'poor'
  return loss > 0.02 || rtt_ms > 250 ? 'fair' : 'good'
}
