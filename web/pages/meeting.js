import { Problem } from '../client/api.js'
import { showAttendance } from './meeting/attendance.js'
import { showHead } from './meeting/head.js'
import { showNotes } from './meeting/notes.js'
import { showPeople } from './meeting/people.js'
import { showRecordings } from './meeting/recordings.js'
import { showChat, showTranscript } from './meeting/said.js'
import { chooseSession } from './meeting/session.js'
import { find, h } from './shared/dom.js'
import { showHeader } from './shared/header.js'
import { api, askToSignIn, me } from './shared/me.js'

/** One meeting: when it is, who comes, and what it has left behind. Each part loads on its own. */

const id = new URLSearchParams(location.search).get('id')
if (!me()) askToSignIn()
else if (id === null) location.replace('/meetings')
else show(id)

/** @param {string} id */
async function show(id) {
  showHeader()
  /** @type {{ refresh: () => unknown } | undefined} */
  let people
  const { meeting, isOpen, refresh } = await showHead(id, () => people?.refresh())
  if (!meeting) {
    find('head', HTMLElement)
      .querySelector('button')
      ?.addEventListener('click', () => location.reload())
    return
  }
  document.title = `${meeting.title} · Parley`
  const mine = meeting.owner_id === me()?.id
  const hosting = mine || (await isHosted(id))
  if (hosting) people = showPeople(id, { mine, isOpen, moved: refresh })
  showRecordings(id, hosting)
  if (meeting.started_at === null) return // nobody has been there, so there is nothing to look back at

  const session = chooseSession()
  const cite = showSaid(id, session)
  showNotes(id, { session, hosting, cite })
  if (hosting) session.offer(await showAttendance(id))
}

/** @param {string} id @param {import('./meeting/session.js').Session} session */
function showSaid(id, session) {
  const parts = [showTranscript(id, session), showChat(id, session)]
  const refresh = () => Promise.all(parts.map(part => part.refresh()))
  session.onChange(refresh)
  refresh()

  /** Shows where something was said. It may have been in another session. @param {string} line @param {string} session_id */
  return async (line, session_id) => {
    if (!document.getElementById(line)) await session.choose(session_id)
    const found = document.getElementById(line)
    for (const cited of document.querySelectorAll('.cited')) cited.classList.remove('cited')
    found?.classList.add('cited')
    found?.scrollIntoView({ block: 'center' })
    found?.focus({ preventScroll: true })
    return found !== null
  }
}

/** Whether I am a co-host is told by what I am shown. @param {string} id */
const isHosted = id =>
  api.call('GET', `/meetings/${id}/participants?state=waiting&limit=1`).then(
    () => true,
    error => {
      if (error instanceof Problem && error.status === 403) return false
      find('title', HTMLElement).after(
        h('p', { role: 'alert' }, 'Not all of this page could be loaded. Load it again.'),
      )
      return false
    },
  )
