import { enterRoom, Problem } from '../parley.js'
import { offerDevices, openDevices } from './devices.js'
import { createTiles } from './tiles.js'

/** A quick room: a name, and you are in. `/?room=tea&name=Ada` fills the form. */

/** @template {Element} Kind @param {string} id @param {new () => Kind} kind @returns {Kind} */
function find(id, kind) {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`There is no ${id}`)
  return found
}

const door = find('door', HTMLElement)
const room = find('room', HTMLElement)
const form = find('enter', HTMLFormElement)
const badge = find('badge', HTMLElement)
const notice = find('notice', HTMLElement)
const mirror = find('mirror', HTMLVideoElement)
const messages = find('messages', HTMLOListElement)
const camera = /** @type {HTMLSelectElement} */ (form.elements.namedItem('camera'))
const microphone = /** @type {HTMLSelectElement} */ (form.elements.namedItem('microphone'))
const tiles = createTiles(find('tiles', HTMLUListElement))

let stream = new MediaStream()
/** @type {import('../client/call.js').Call | undefined} */
let call

const asked = new URLSearchParams(location.search)
for (const name of ['room', 'name']) {
  const field = form.elements.namedItem(name)
  if (field instanceof HTMLInputElement) field.value = asked.get(name) ?? ''
}
chooseDevices({})
for (const select of [camera, microphone]) {
  select.addEventListener('change', () => chooseDevices({ camera: camera.value, microphone: microphone.value }))
}
form.addEventListener('submit', event => {
  event.preventDefault()
  const said = new FormData(form)
  enter(`${said.get('room')}`.toLowerCase(), `${said.get('name')}`.trim())
})
find('write', HTMLFormElement).addEventListener('submit', write)
find('mute', HTMLButtonElement).addEventListener('click', event => toggle(event, stream.getAudioTracks()))
find('hide', HTMLButtonElement).addEventListener('click', event => toggle(event, stream.getVideoTracks()))
find('share', HTMLButtonElement).addEventListener('click', share)
find('leave', HTMLButtonElement).addEventListener('click', () => call?.leave().catch(tellProblem))

/** @param {{ camera?: string, microphone?: string }} chosen */
async function chooseDevices(chosen) {
  for (const track of stream.getTracks()) track.stop()
  const opened = await openDevices(chosen)
  stream = opened.stream
  notice.textContent = opened.notice
  // The page would be loading for as long as it waits for a picture that never comes.
  mirror.srcObject = stream.getVideoTracks().length > 0 ? stream : null
  await offerDevices(camera, 'videoinput', stream)
  await offerDevices(microphone, 'audioinput', stream)
}

/** @param {string} name @param {string} display_name */
async function enter(name, display_name) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  button.disabled = true
  notice.textContent = ''
  try {
    const waiting = () => {
      notice.textContent = 'You are in the lobby. A host will let you in.'
    }
    const entered = await enterRoom(name, { display_name, stream, waiting })
    call = entered
    notice.textContent = ''
    badge.textContent = name
    tiles.add(entered.connection.id, display_name, { mine: true })
    tiles.show(entered.connection.id, stream)
    for (const peer of entered.peers.values()) tiles.add(peer.connection, peer.display_name)
    follow(entered)
    turn(true)
    find('text', HTMLInputElement).focus()
  } catch (error) {
    tellProblem(error)
  } finally {
    button.disabled = false
  }
}

/** @param {import('../client/call.js').Call} entered */
function follow(entered) {
  entered.on('peer', ({ peer }) => tiles.add(peer.connection, peer.display_name))
  entered.on('stream', ({ peer, stream }) => tiles.show(peer.connection, stream))
  entered.on('state', ({ peer, state }) => tiles.tell(peer.connection, state))
  entered.on('left', ({ peer }) => tiles.remove(peer.connection))
  entered.on('chat', ({ payload }) => {
    const line = document.createElement('li')
    const author = document.createElement('b')
    author.textContent = payload.display_name
    line.append(author, payload.text) // as text: nobody's words are markup
    messages.append(line)
    line.scrollIntoView({ block: 'nearest' })
  })
  entered.on('recording', ({ payload }) => {
    notice.textContent = payload.state === 'started' ? 'This meeting is being recorded.' : 'The recording has ended.'
  })
  entered.on('ended', ({ reason }) => {
    call = undefined
    tiles.clear()
    messages.replaceChildren()
    turn(false)
    notice.textContent = reasons[reason] ?? 'You are out of the room.'
  })
}

/** @type {{ [reason: string]: string }} */
const reasons = {
  left: 'You have left.',
  removed: 'A host has shown you out.',
  replaced: 'You are in this room with another tab.',
  timeout: 'The server had not heard of you for a while. Enter again.',
  meeting_ended: 'The meeting has ended.',
  poll_superseded: 'You are in this room with another tab.',
}

/** @param {boolean} inside */
function turn(inside) {
  door.hidden = inside
  room.hidden = badge.hidden = !inside
}

/** @param {SubmitEvent} event */
async function write(event) {
  event.preventDefault()
  const field = find('text', HTMLInputElement)
  const text = field.value.trim()
  if (!call || text === '') return
  try {
    await call.chat(text)
    field.value = ''
  } catch (error) {
    tellProblem(error)
  }
}

/** @param {Event} event @param {MediaStreamTrack[]} tracks */
function toggle({ currentTarget }, tracks) {
  if (!(currentTarget instanceof HTMLButtonElement)) return
  const off = currentTarget.getAttribute('aria-pressed') !== 'true'
  currentTarget.setAttribute('aria-pressed', `${off}`)
  for (const track of tracks) track.enabled = !off
}

/** In the place of the camera, until it is stopped here or by the browser. @param {Event} event */
async function share({ currentTarget }) {
  if (!(currentTarget instanceof HTMLButtonElement) || !call) return
  const [mine] = stream.getVideoTracks()
  if (currentTarget.getAttribute('aria-pressed') === 'true') return showInstead(mine, 'camera')
  try {
    const [screen] = (await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks()
    if (!screen) return
    screen.addEventListener('ended', () => showInstead(mine, 'camera'))
    showInstead(screen, 'screen')
  } catch {
    notice.textContent = 'Nothing is shared.' // they have chosen nothing
  }
}

/** @param {MediaStreamTrack | undefined} track @param {'camera' | 'screen'} source */
function showInstead(track, source) {
  if (!call) return
  for (const { pc } of call.peers.values()) {
    for (const sender of pc?.getSenders() ?? []) if (sender.track?.kind === 'video') sender.replaceTrack(track ?? null)
  }
  tiles.show(call.connection.id, new MediaStream(track ? [track] : []), source)
  find('share', HTMLButtonElement).setAttribute('aria-pressed', `${source === 'screen'}`)
}

/** @param {unknown} error */
function tellProblem(error) {
  const told = error instanceof Problem ? error.code : 'network'
  notice.textContent = problems[told] ?? (error instanceof Error ? error.message : 'That did not work.')
}

/** @type {{ [code: string]: string }} */
const problems = {
  network: 'The server cannot be reached. Look at your network, and try again.',
  route_not_found: 'This server has no quick rooms.',
  meeting_full: 'The room is full.',
  meeting_locked: 'The room is locked: nobody new comes in.',
  needs_media_provider: 'So many cannot send at once here. Try again when somebody has left.',
  rate_limited: 'That was too fast. Wait a moment.',
  invalid: 'A room is called by letters, digits, - and _, and begins with a letter or digit.',
}
