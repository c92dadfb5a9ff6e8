import { recordMeeting } from '../../parley.js'
import { find } from '../shared/dom.js'
import { busy, tell, tellProblem } from '../shared/notice.js'

const [width, height, frames] = [1280, 720, 15]

/**
 * Recording, and being recorded. The picture is all the tiles on one canvas, the sound is everybody’s, and both are made in
 * the browser of the host who has pressed the button.
 * @param {import('../../client/call.js').Call} call
 * @param {{ videos: () => HTMLVideoElement[] }} tiles
 */
export function followRecording(call, tiles) {
  const button = find('record', HTMLButtonElement)
  const badge = find('recording', HTMLElement)
  const consent = find('consent', HTMLDialogElement)
  const warning = find('being-recorded', HTMLDialogElement)
  /** @type {Awaited<ReturnType<typeof recordMeeting>> | undefined} */
  let mine
  /** @type {string | undefined} */
  let running
  let stopDrawing = () => {}
  let over = false

  const allow = () => {
    button.hidden = !call.permissions.record
  }
  allow()
  call.on('permissions', allow)
  badge.hidden = true
  button.textContent = 'Record'
  button.setAttribute('aria-pressed', 'false')
  button.onclick = () => (running ? busy(button, stop) : consent.showModal())
  consent.onclose = () => {
    if (consent.returnValue === 'yes') busy(button, start)
    consent.returnValue = ''
  }
  warning.onclose = () => {
    if (warning.returnValue === 'leave') call.leave().catch(tellProblem)
    warning.returnValue = ''
  }
  call.on('recording', ({ payload: { recording_id, state, source } }) => {
    const on = state === 'started'
    running = on ? recording_id : undefined
    badge.hidden = !on
    button.textContent = on ? 'Stop recording' : 'Record'
    button.setAttribute('aria-pressed', `${on}`)
    if (!on) {
      tell('The recording has ended.')
      warning.close()
      if (mine?.id === recording_id) finish().catch(tellProblem) // another host has ended it
    } else if (mine?.id !== recording_id && !button.disabled) {
      find('by-whom', HTMLElement).textContent =
        source === 'mock'
          ? 'It is a mocked one: who is here, and when, without pictures or sound. Stay if that is all right with you.'
          : 'Pictures and sound are kept on this server. Stay if that is all right with you.'
      warning.showModal()
    }
  })
  call.on('ended', () => {
    over = true
    warning.close()
    consent.close()
    if (mine) finish().catch(tellProblem) // what was recorded until now is still taken
  })

  async function start() {
    const drawn = draw(tiles.videos)
    stopDrawing = drawn.stop
    try {
      const failed = (/** @type {unknown} */ error) => {
        mine = undefined
        stopDrawing()
        tellProblem(error)
      }
      mine = await recordMeeting(call, drawn.stream, { failed })
      if (over) await finish()
    } catch (error) {
      stopDrawing()
      throw error
    }
  }

  /** Mine is finished with its last chunk; another’s is only stopped. */
  async function stop() {
    if (mine) await finish()
    else await call.api.call('POST', `/recordings/${running}/stop`, {})
  }

  async function finish() {
    const recording = mine
    mine = undefined
    try {
      await recording?.stop()
    } finally {
      stopDrawing()
    }
  }
}

/**
 * Everything that is to be seen and heard, as one stream; whoever comes later is in it, too.
 * @param {() => HTMLVideoElement[]} videos
 */
function draw(videos) {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d')
  const audio = new AudioContext()
  const mixed = audio.createMediaStreamDestination()
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */
  const heard = new Map()

  const timer = setInterval(() => {
    if (!context) return
    const all = videos()
    const columns = Math.ceil(Math.sqrt(all.length))
    const [w, h] = [width / columns, height / Math.ceil(all.length / columns)]
    context.fillRect(0, 0, width, height)
    all.forEach((video, i) => {
      if (video.videoWidth > 0) place(context, video, (i % columns) * w, Math.floor(i / columns) * h, w, h)
      listen(video)
    })
  }, 1000 / frames)

  /** @param {HTMLVideoElement} video */
  function listen({ srcObject }) {
    const [track] = srcObject instanceof MediaStream ? srcObject.getAudioTracks() : []
    if (!track || heard.has(track)) return
    const source = audio.createMediaStreamSource(new MediaStream([track]))
    source.connect(mixed)
    heard.set(track, source)
  }

  const picture = canvas.captureStream(frames)
  return {
    stream: new MediaStream([...picture.getTracks(), ...mixed.stream.getTracks()]),
    stop() {
      clearInterval(timer)
      audio.close()
    },
  }
}

/**
 * As large as it may be in its place, uncut.
 * @param {CanvasRenderingContext2D} context @param {HTMLVideoElement} video
 * @param {number} x @param {number} y @param {number} w @param {number} h
 */
function place(context, video, x, y, w, h) {
  const scale = Math.min(w / video.videoWidth, h / video.videoHeight)
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale]
  context.drawImage(video, x + (w - width) / 2, y + (h - height) / 2, width, height)
}
