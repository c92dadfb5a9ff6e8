import { Problem } from '../../client/api.js'
import { find, ready, said } from '../shared/dom.js'
import { me } from '../shared/me.js'
import { tell, tellProblem } from '../shared/notice.js'
import { dateAndTime } from '../shared/time.js'
import { offerDevices, openDevices } from './devices.js'
import { listenTo } from './level.js'
import { asked, askedName, guestOf, lookAt } from './where.js'

/**
 * Before the room: who I am, what the others will see and hear, and the lobby.
 * @param {{ enter: (where: import('./where.js').Where, display_name: string, signal: AbortSignal) => Promise<void> }} options
 */
export function createDoor({ enter }) {
  const door = find('door', HTMLElement)
  const form = find('enter', HTMLFormElement)
  const byCode = find('by-code', HTMLFormElement)
  const lobby = find('lobby', HTMLElement)
  const mirror = find('mirror', HTMLVideoElement)
  const level = find('level', HTMLMeterElement)
  const camera = find('camera', HTMLSelectElement)
  const microphone = find('microphone', HTMLSelectElement)
  const title = find('title', HTMLElement)
  title.tabIndex = -1 // it is where one is when one comes back out
  const name = field('name')
  const room = field('room')
  const leadsSomewhere = Boolean(asked.code || asked.meeting)
  let stream = new MediaStream()
  let quiet = () => {}
  let waiting = new AbortController()

  name.value = askedName || (guestOf(asked)?.display_name ?? me()?.name ?? '')
  room.value = asked.room ?? ''
  // A field that nobody sees must not be required.
  find('which', HTMLElement).hidden = room.disabled = byCode.hidden = leadsSomewhere
  if (leadsSomewhere) describe()
  /** One after the other: the last one chosen is the one that is used. */
  let opened = Promise.resolve()
  choose({})
  for (const select of [camera, microphone]) {
    select.addEventListener('change', () => choose({ camera: camera.value, microphone: microphone.value }))
  }
  navigator.mediaDevices?.addEventListener('devicechange', () => offer())
  form.addEventListener('submit', submit)
  find('give-up', HTMLButtonElement).addEventListener('click', () => waiting.abort())
  byCode.addEventListener('submit', event => {
    event.preventDefault()
    location.assign(`/?${new URLSearchParams({ code: said(byCode).code ?? '' })}`)
  })

  ready()

  /** @param {string} of */
  function field(of) {
    return /** @type {HTMLInputElement} */ (form.elements.namedItem(of))
  }

  /** What meeting it is, and whether it is one at all. */
  async function describe() {
    const about = find('about', HTMLElement)
    title.textContent = about.textContent = ''
    try {
      /** @type {any} */
      const meeting = await lookAt(asked)
      title.textContent = document.title = meeting.title
      const by = meeting.owner_name ? `with ${meeting.owner_name}` : ''
      const when = meeting.scheduled_at ? dateAndTime(meeting.scheduled_at) : ''
      about.textContent = [when, by, meeting.lobby ? 'a host lets you in' : ''].filter(Boolean).join(' · ')
    } catch (error) {
      const nowhere = error instanceof Problem && (error.status === 404 || error.status === 410)
      title.textContent = nowhere ? 'This leads nowhere' : 'Before you come in'
      form.hidden = nowhere
      tellProblem(error)
    }
  }

  /** @param {{ camera?: string, microphone?: string }} chosen */
  function choose(chosen) {
    opened = opened.then(() => use(chosen)).catch(tellProblem)
  }

  /** @param {{ camera?: string, microphone?: string }} chosen */
  async function use(chosen) {
    for (const track of stream.getTracks()) track.stop()
    const opened = await openDevices(chosen)
    stream = opened.stream
    if (opened.notice) tell(opened.notice, 'bad')
    // The page would be loading for as long as it waits for a picture that never comes.
    mirror.srcObject = stream.getVideoTracks().length > 0 ? stream : null
    measure()
    for (const track of stream.getTracks()) {
      const lost = () =>
        tell(`Your ${track.kind === 'video' ? 'camera' : 'microphone'} has gone. Leave, and choose another.`, 'bad')
      track.addEventListener('ended', lost)
    }
    await offer()
  }

  function measure() {
    quiet()
    quiet = listenTo(stream, loudness => {
      level.value = loudness
    })
  }

  async function offer() {
    await offerDevices(camera, 'videoinput', stream)
    await offerDevices(microphone, 'audioinput', stream)
  }

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault()
    const where = leadsSomewhere ? asked : { room: room.value.trim().toLowerCase() }
    tell('')
    await come(where)
  }

  /** @param {import('./where.js').Where} where */
  async function come(where) {
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('[type=submit]'))
    button.disabled = true
    waiting = new AbortController()
    try {
      await opened
      await enter(where, name.value.trim(), waiting.signal)
    } catch (error) {
      if (!waiting.signal.aborted) tellProblem(error)
    } finally {
      button.disabled = false
      lobby.hidden = true
    }
  }

  return {
    come,
    stream: () => stream,
    wait() {
      lobby.hidden = false
      tell('You are in the lobby. A host will let you in.')
    },
    open() {
      door.hidden = false
      title.focus()
      if (stream.getTracks().some(({ readyState }) => readyState === 'ended')) choose({})
      else measure()
    },
    close() {
      door.hidden = true
      quiet()
    },
  }
}
