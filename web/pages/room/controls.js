import { find } from '../shared/dom.js'
import { tell } from '../shared/notice.js'

/**
 * My microphone, my camera and my screen. The others hear of them directly.
 * @param {import('../../client/call.js').Call} call
 * @param {MediaStream} stream
 * @param {(shown: MediaStream, source: 'camera' | 'screen', sent: Sent) => void} show
 * @typedef {{ microphone: boolean, camera: boolean, screen: boolean }} Sent
 */
export function followControls(call, stream, show) {
  const [microphone] = stream.getAudioTracks()
  const [camera] = stream.getVideoTracks()
  /** @type {MediaStreamTrack | undefined} */
  let screen
  let over = false
  const mute = find('mute', HTMLButtonElement)
  const hide = find('hide', HTMLButtonElement)
  const share = find('share', HTMLButtonElement)

  mute.onclick = () => toggle(mute, microphone)
  hide.onclick = () => toggle(hide, camera)
  share.onclick = () => (screen ? stopSharing() : startSharing())
  call.on('permissions', allow)
  call.on('ended', () => {
    over = true
    screen?.stop()
  })
  call.on('open', ({ peer }) => call.say(JSON.stringify(sent()), peer))
  for (const [button, track] of /** @type {const} */ ([
    [mute, microphone],
    [hide, camera],
  ]))
    button.setAttribute('aria-pressed', `${track !== undefined && !track.enabled}`)
  allow()
  changed()

  function allow() {
    const { send, screen_share } = call.permissions
    mute.hidden = !send || !microphone
    hide.hidden = !send || !camera
    share.hidden = !send || !screen_share || !navigator.mediaDevices?.getDisplayMedia
    if (share.hidden && screen) stopSharing()
  }

  /** @param {HTMLButtonElement} button @param {MediaStreamTrack | undefined} track */
  function toggle(button, track) {
    if (!track) return
    track.enabled = !track.enabled
    button.setAttribute('aria-pressed', `${!track.enabled}`)
    changed()
  }

  async function startSharing() {
    try {
      const [chosen] = (await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks()
      if (!chosen) return
      // While somebody was choosing, much may have happened.
      if (over || !call.permissions.screen_share) return chosen.stop()
      chosen.addEventListener('ended', stopSharing) // by the browser’s own button
      screen = chosen
      changed()
    } catch (error) {
      if (!(error instanceof DOMException)) throw error
      tell('Nothing is shared.') // they have chosen nothing
    }
  }

  function stopSharing() {
    screen?.stop()
    screen = undefined
    changed()
  }

  /** @returns {Sent} */
  function sent() {
    const { send } = call.permissions
    return {
      microphone: send && (microphone?.enabled ?? false),
      camera: send && (camera?.enabled ?? false),
      screen: screen !== undefined,
    }
  }

  function changed() {
    const picture = screen ?? camera
    const shown = new MediaStream([microphone, picture].filter(track => track !== undefined))
    share.setAttribute('aria-pressed', `${screen !== undefined}`)
    call.show(shown)
    show(shown, screen ? 'screen' : 'camera', sent())
    call.say(JSON.stringify(sent()))
  }
}

/** What somebody else’s page says of itself; anything else that comes this way is not ours. @param {string} data @returns {Sent | undefined} */
export function readSent(data) {
  try {
    const { microphone, camera, screen } = JSON.parse(data)
    const all = [microphone, camera, screen]
    return all.every(each => typeof each === 'boolean') ? { microphone, camera, screen } : undefined
  } catch {
    return undefined
  }
}
