/**
 * Everybody who is here, a tile each; whoever speaks is framed.
 * @param {HTMLElement} list
 */
export function createTiles(list) {
  /** @type {Map<string, { tile: HTMLLIElement, video: HTMLVideoElement, state: HTMLSpanElement, quiet: () => void }>} */
  const tiles = new Map()
  const audio = new AudioContext()

  return {
    /** @param {string} id @param {string} name @param {{ mine?: boolean }} [how] */
    add(id, name, { mine = false } = {}) {
      const tile = document.createElement('li')
      const video = document.createElement('video')
      const label = document.createElement('span')
      const state = document.createElement('span')
      Object.assign(video, { autoplay: true, playsInline: true, muted: mine })
      Object.assign(label, { className: 'name', textContent: mine ? `${name} (you)` : name })
      Object.assign(state, { className: 'state', textContent: mine ? '' : 'connecting …', hidden: mine })
      tile.classList.toggle('me', mine)
      tile.append(video, label, state)
      list.append(tile)
      tiles.set(id, { tile, video, state, quiet: () => {} })
    },

    /** @param {string} id @param {MediaStream} stream @param {'camera' | 'screen'} [source] */
    show(id, stream, source = 'camera') {
      const shown = tiles.get(id)
      if (!shown) return
      shown.video.className = source
      if (shown.video.srcObject !== stream) shown.video.srcObject = stream
      shown.quiet()
      shown.quiet = listen(stream, speaking => shown.tile.classList.toggle('speaking', speaking))
    },

    /** How the way to somebody is, as far as they would wonder. @param {string} id @param {string} state */
    tell(id, state) {
      const shown = tiles.get(id)
      if (!shown) return
      const words =
        state === 'connected' ? '' : state === 'failed' || state === 'disconnected' ? 'reconnecting …' : 'connecting …'
      shown.state.textContent = words
      shown.state.hidden = words === ''
    },

    /** @param {string} id */
    remove(id) {
      const shown = tiles.get(id)
      shown?.quiet()
      shown?.tile.remove()
      tiles.delete(id)
    },

    clear() {
      for (const id of [...tiles.keys()]) this.remove(id)
    },
  }

  /** Returns the way to stop. @param {MediaStream} stream @param {(speaking: boolean) => void} tell */
  function listen(stream, tell) {
    if (stream.getAudioTracks().length === 0) return () => {}
    const source = audio.createMediaStreamSource(stream)
    const analyser = audio.createAnalyser()
    analyser.fftSize = 512
    source.connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      tell(Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length) > 0.02)
    }, 200)
    return () => {
      clearInterval(timer)
      source.disconnect()
      tell(false)
    }
  }
}
