import { h } from '../shared/dom.js'
import { listenTo } from './level.js'

/**
 * Everybody who is here, a tile each; whoever speaks is framed. Where hosts alone send, those who watch have no picture and
 * come last, which is a matter of style.
 * @param {HTMLElement} list
 */
export function createTiles(list) {
  /** @type {Map<string, ReturnType<typeof createTile>>} */
  const tiles = new Map()

  return {
    /** By the type of the meeting. @param {string} type */
    arrange: type => list.setAttribute('data-type', type),

    /** @param {string} id @param {string} name @param {{ mine?: boolean, role?: string }} [how] */
    add(id, name, how = {}) {
      const tile = createTile(name, how)
      list.append(tile.element)
      tiles.set(id, tile)
    },

    /** @param {string} id */
    of: id => tiles.get(id),

    /** @returns {HTMLVideoElement[]} */
    videos: () => [...tiles.values()].map(({ video }) => video),

    /** @param {string} id */
    remove(id) {
      tiles.get(id)?.remove()
      tiles.delete(id)
    },

    clear() {
      for (const id of [...tiles.keys()]) this.remove(id)
    },
  }
}

/** @param {string} name @param {{ mine?: boolean, role?: string }} how */
function createTile(name, { mine = false, role = 'participant' }) {
  const video = h('video', { autoplay: true, playsInline: true, muted: mine })
  const state = h('span', { className: 'state', hidden: mine }, 'connecting …')
  const quality = h('span', { className: 'quality', hidden: true })
  const muted = h('span', { className: 'muted', hidden: true }, 'muted')
  const initials = h('span', { className: 'initials', hidden: true, 'aria-hidden': 'true' }, initialsOf(name))
  const label = h('span', { className: 'name' }, h('span', {}, mine ? `${name} (you)` : name), muted, quality)
  const element = h('li', {}, video, initials, label, state)
  element.classList.toggle('me', mine)
  element.classList.add(role)
  let quiet = () => {}

  return {
    element,
    video,

    /** @param {MediaStream} stream @param {'camera' | 'screen'} [source] */
    show(stream, source = 'camera') {
      video.className = source
      if (video.srcObject !== stream) video.srcObject = stream
      quiet()
      quiet = listenTo(stream, level => element.classList.toggle('speaking', level > 0.08))
    },

    /** How the way to them is, as far as somebody would wonder. @param {string} connection */
    tell(connection) {
      const lost = connection === 'failed' || connection === 'disconnected'
      state.textContent = lost ? 'reconnecting …' : 'connecting …'
      state.hidden = connection === 'connected'
      if (lost) quality.hidden = true
    },

    /** @param {string} word @param {{ rtt_ms?: number, loss?: number, bitrate?: number }} measured */
    rate(word, { rtt_ms = 0, loss = 0, bitrate = 0 }) {
      quality.hidden = false
      quality.className = `quality ${word}`
      quality.textContent = word
      quality.title = `${Math.round(rtt_ms)} ms there and back, ${(loss * 100).toFixed(1)} % lost, ${Math.round(bitrate / 1000)} kbit/s`
    },

    /** What they send, as they say themselves. @param {{ microphone: boolean, camera: boolean, screen: boolean }} sent */
    sends({ microphone, camera, screen }) {
      muted.hidden = microphone
      initials.hidden = camera || screen
      video.className = screen ? 'screen' : 'camera'
    },

    /** @param {string} now */
    become(now) {
      element.classList.replace(role, now)
      role = now
    },

    remove() {
      quiet()
      element.remove()
    },
  }
}

/** @param {string} name */
function initialsOf(name) {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : ''].map(word => [...(word ?? '')][0] ?? '').join('')
}
