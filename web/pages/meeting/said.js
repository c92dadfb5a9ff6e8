import { h } from '../shared/dom.js'
import { handOver } from '../shared/hand-over.js'
import { listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { busy } from '../shared/notice.js'
import { section } from '../shared/section.js'
import { clockOf, timeOf } from '../shared/time.js'

/** @typedef {import('../shared/told.js').Segment} Segment */
/** @typedef {import('../shared/told.js').Message} Message */

/** What was said and what was written, each line under its own id: notes cite them. */

const files = { vtt: 'text/vtt', srt: 'application/x-subrip' }

/** @param {string} id @param {import('./session.js').Session} session */
export const showTranscript = (id, session) =>
  section('transcript', async () => {
    const path = () => `/meetings/${id}/transcript?${session.query().slice(1)}`
    const { segments } = await api.call('GET', path())
    if (segments.length === 0) return [h('p', { className: 'quiet' }, 'Nothing was taken down.')]
    const downloads = Object.entries(files).map(([name, type]) => {
      const save = async () => handOver(await api.text(path(), type), type, `transcript.${name}`)
      const button = h('button', { type: 'button', on: { click: () => busy(button, save) } }, name.toUpperCase())
      return button
    })
    return [lines('What was said', segments.map(segment)), h('p', { className: 'row' }, 'Download as', ...downloads)]
  })

/** @param {string} id @param {import('./session.js').Session} session */
export const showChat = (id, session) =>
  section('chat', async () => {
    const messages = await listAll(`/meetings/${id}/messages?limit=100${session.query()}`)
    if (messages.length === 0) return [h('p', { className: 'quiet' }, 'Nothing was written.')]
    return [lines('What was written', messages.map(message))]
  })

/** @param {string} label @param {HTMLLIElement[]} items */
const lines = (label, items) =>
  h(
    'div',
    { className: 'lines', tabIndex: 0, role: 'region', 'aria-label': label },
    h('ol', { className: 'list' }, ...items),
  )

/** @param {Segment} segment */
const segment = ({ id, speaker, start_ms, text }) => line(id, clockOf(start_ms), speaker, text)
/** @param {Message} message */
const message = ({ id, display_name, sent_at, text }) =>
  line(id, h('time', { datetime: sent_at }, timeOf(sent_at)), display_name, text)

/** @param {string} id @param {Node | string} when @param {string} who @param {string} text */
const line = (id, when, who, text) =>
  h(
    'li',
    { id, tabIndex: -1 },
    h('span', { className: 'quiet' }, when),
    ' ',
    h('b', {}, who),
    h('p', { className: 'words' }, text),
  )
