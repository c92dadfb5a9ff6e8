import { h, said } from '../shared/dom.js'
import { api } from '../shared/me.js'
import { busy, tell } from '../shared/notice.js'
import { section } from '../shared/section.js'
import { clockOf, dateAndTime } from '../shared/time.js'

/**
 * @typedef {import('../shared/told.js').Notes} Notes
 * @typedef {import('../shared/told.js').NotesVersion} Version
 */

/**
 * What is kept of a session in short, every version of it. Each key point says where it was said.
 * @param {string} id
 * @param {{ session: import('./session.js').Session, hosting: boolean,
 *   cite: (line: string, session_id: string) => Promise<boolean> }} options
 */
export function showNotes(id, { session, hosting, cite }) {
  const path = `/meetings/${id}/notes`
  /** The one that somebody asked for; else the one that the server calls the latest. @type {number | undefined} */
  let wanted

  const notes = section('notes', async () => {
    const { data } = await api.call('GET', `${path}?all=1${session.query()}`)
    const version = data.find((/** @type {Version} */ { version }) => version === wanted) ?? latestOf(data)
    if (!version)
      return hosting ? [h('p', { className: 'quiet' }, 'None are written yet.'), h('p', {}, write())] : undefined
    const body =
      version.status === 'ready' ? show(await api.call('GET', `${path}/${version.version}`)) : [awaited(version)]
    return [h('div', { className: 'row' }, choice(data, version), hosting && write('Write them anew')), ...body]
  })

  /** @param {Version[]} versions @param {Version} shown */
  function choice(versions, shown) {
    const select = h(
      'select',
      { on: { change: () => ask(Number(select.value)) } },
      ...versions.map(version =>
        h('option', { value: `${version.version}`, selected: version === shown }, nameOf(version)),
      ),
    )
    return h('label', {}, 'Version ', select)
  }

  /** @param {number} version */
  function ask(version) {
    wanted = version
    return busy(null, notes.refresh)
  }

  function write(text = 'Write notes') {
    const button = h('button', { type: 'button', on: { click: pressed } }, text)
    function pressed() {
      tell('They are being written…')
      const work = async () => {
        wanted = (await api.call('POST', path, bodyOf(session.query()))).version
      }
      return notes.act(button, work, 'This is what is written.')
    }
    return button
  }

  /** @param {Version} version */
  function awaited({ status, reason }) {
    const again = h('button', { type: 'button', on: { click: () => busy(again, notes.refresh) } }, 'Look again')
    if (status === 'pending') return h('p', { className: 'row' }, 'They are being written.', again)
    return h('p', { role: 'alert' }, `They could not be written${reason === null ? '' : `: ${reason}`}.`)
  }

  /** @param {Notes} shown */
  function show(shown) {
    const { summary, sentiment, mocked, key_points, action_items } = shown
    return [
      mocked &&
        h('p', { className: 'mocked' }, 'This is a sample: nothing was said or written that notes could be made of.'),
      h('p', { className: 'words' }, summary),
      h('p', { className: 'quiet' }, sentiments[sentiment]),
      ...(hosting ? [editing(shown)] : []),
      ...titled(
        'Key points',
        key_points.map(point => h('li', {}, point.text, ' ', ...point.cues.map(cue => evidence(cue, shown)))),
      ),
      ...titled('To do', action_items.map(item)),
    ].filter(part => part !== false)
  }

  /** @param {import('../shared/told.js').Cue} cue @param {Notes} notes */
  function evidence({ id, source, start_ms }, { session_id }) {
    const text = source === 'chat' || start_ms === null ? 'written in the chat' : `said at ${clockOf(start_ms)}`
    const button = h('button', { type: 'button', className: 'plain', on: { click: pressed } }, text)
    function pressed() {
      busy(button, async () => {
        if (!(await cite(id, session_id))) tell('That line is not on this page.', 'bad')
      })
    }
    return button
  }

  /** @param {Notes} notes */
  function editing({ version, summary }) {
    const save = h('button', { type: 'submit', className: 'primary' }, 'Save as a new version')
    const text = h('textarea', { name: 'summary', rows: 8, maxLength: 20_000, value: summary })
    const form = h('form', { on: { submit } }, h('label', {}, 'Summary ', text), h('p', {}, save))
    return h('details', {}, h('summary', {}, 'Edit the summary'), form)

    /** @param {SubmitEvent} event */
    function submit(event) {
      event.preventDefault()
      const work = async () => {
        const edited = await api.change(`${path}/${version}`, version, { summary: said(form).summary ?? '' })
        wanted = edited.version
      }
      notes.act(save, work, 'Saved. The version from before is still there.')
    }
  }

  session.onChange(() => {
    wanted = undefined
    return notes.refresh()
  })
  notes.refresh()
}

/** Of the newest session that has some. @param {Version[]} versions */
const latestOf = versions => versions.find(({ latest }) => latest) ?? versions[0]

/** @param {string} query */
const bodyOf = query => Object.fromEntries(new URLSearchParams(query))

/** @param {Version} version */
function nameOf({ version, created_at, edited_by, based_on, latest }) {
  const how = edited_by === null ? '' : `, edited from ${based_on}`
  return `${version} of ${dateAndTime(created_at)}${how}${latest ? ' (the latest)' : ''}`
}

/** @param {string} title @param {HTMLLIElement[]} items */
const titled = (title, items) => (items.length > 0 ? [h('h3', {}, title), h('ul', {}, ...items)] : [])

/** @param {{ text: string, who?: string, due?: string }} item */
const item = ({ text, who, due }) =>
  h('li', {}, text, (who || due) && h('span', { className: 'quiet' }, ` (${[who, due].filter(Boolean).join(', ')})`))

/** @type {{ [sentiment: string]: string }} */
const sentiments = {
  positive: 'The mood was good.',
  neutral: 'The mood was neither good nor bad.',
  negative: 'The mood was bad.',
}
