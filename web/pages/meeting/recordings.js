import { Problem } from '../../client/api.js'
import { confirmed } from '../shared/confirm.js'
import { h } from '../shared/dom.js'
import { listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { busy } from '../shared/notice.js'
import { section } from '../shared/section.js'
import { clockOf, dateAndTime, sizeOf, timeElement } from '../shared/time.js'

/** @typedef {import('../shared/told.js').Recording} Recording */

/** What was recorded, to look at, keep, share and delete. @param {string} id @param {boolean} hosting */
export function showRecordings(id, hosting) {
  const recordings = section('recordings', async () => {
    const all = await listAll(`/meetings/${id}/recordings?limit=100`)
    return all.length > 0 ? [h('ul', { className: 'list' }, ...all.map(item))] : undefined
  })

  /** @param {Recording} recording */
  function item(recording) {
    const { status, mocked, bytes, duration_s, participants, started_at, failure } = recording
    const facts = [duration_s !== null && clockOf(duration_s * 1000), bytes > 0 && sizeOf(bytes)].filter(Boolean)
    const stage = h('div', { className: 'stage' })
    return h(
      'li',
      {},
      h('h3', {}, timeElement(started_at)),
      h(
        'p',
        { className: 'row' },
        h('span', { className: `badge ${status}` }, stateWords[status]),
        mocked && h('span', { className: 'badge' }, 'Mocked'),
        facts.join(', '),
      ),
      mocked &&
        h('p', { className: 'quiet' }, 'A text in the place of a recording: it says who was there, and shows nobody.'),
      failure !== null && h('p', {}, failures[failure] ?? failure),
      participants.length > 0 &&
        h(
          'p',
          { className: 'quiet' },
          `Told at its start: ${participants.map(({ display_name }) => display_name).join(', ')}.`,
        ),
      h(
        'div',
        { className: 'row' },
        ...(status === 'ready' ? toHave(recording, stage) : []),
        ...(hosting ? toRule(recording) : []),
      ),
      stage,
    )
  }

  /** @param {Recording} recording */
  function toRule({ id, visibility, started_at }) {
    const path = `/recordings/${id}`
    const select = h(
      'select',
      { on: { change: share } },
      ...Object.entries(audiences).map(([value, text]) => h('option', { value, selected: value === visibility }, text)),
    )
    const remove = h('button', { type: 'button', className: 'danger', on: { click: removed } }, 'Delete')
    return [h('label', {}, 'For ', select), remove]

    function share() {
      const done = select.value === 'participants' ? 'Whoever was there may see it.' : 'Only hosts may see it.'
      return recordings.act(null, () => api.call('PATCH', path, { visibility: select.value }), done)
    }
    async function removed() {
      if (!(await confirmed(`Delete the recording of ${dateAndTime(started_at)}, with its file?`, 'Delete it'))) return
      recordings.act(remove, () => api.call('DELETE', path), 'The recording is deleted.')
    }
  }

  recordings.refresh()
}

/** @param {Recording} recording @param {HTMLElement} stage where it is played */
function toHave(recording, stage) {
  const { id, content_type, started_at } = recording
  const isText = content_type.startsWith('text/')
  const about = `the recording of ${dateAndTime(started_at)}`
  const play = h(
    'button',
    { type: 'button', 'aria-label': `${isText ? 'Read' : 'Play'} ${about}` },
    isText ? 'Read' : 'Play',
  )
  const save = h('button', { type: 'button', 'aria-label': `Download ${about}` }, 'Download')
  play.addEventListener('click', () =>
    busy(play, async () => {
      const player = isText
        ? h('pre', {}, await api.text(`/recordings/${id}/download`, 'text/plain'))
        : await playerOf(recording)
      for (const { src } of [...stage.querySelectorAll('video'), ...stage.querySelectorAll('audio')])
        URL.revokeObjectURL(src)
      stage.replaceChildren(player)
    }),
  )
  save.addEventListener('click', () =>
    busy(save, async () => {
      const href = await sourceOf(recording)
      h('a', { href, download: `recording.${extensionOf(content_type)}` }).click()
      setTimeout(() => URL.revokeObjectURL(href), 60_000)
    }),
  )
  return [play, save]
}

/** In the copy that players can jump in, where there is one. @param {Recording} recording */
async function playerOf(recording) {
  const src = await sourceOf(recording, recording.seekable_bytes === null ? '' : '&copy=seekable')
  const label = `Recording of ${dateAndTime(recording.started_at)}`
  return recording.content_type.startsWith('audio/')
    ? h('audio', { src, controls: true, autoplay: true, 'aria-label': label })
    : h('video', { src, controls: true, autoplay: true, playsInline: true, 'aria-label': label })
}

/**
 * Hosts may make a link, which a player reads piece by piece; others are given all of the bytes.
 * @param {Recording} recording @param {string} [copy]
 */
async function sourceOf({ id }, copy = '') {
  try {
    const { pathname, search } = new URL((await api.call('POST', `/recordings/${id}/links`, {})).url)
    return `${pathname}${search}${copy}`
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 403) throw error
    return URL.createObjectURL(await api.bytes(`/recordings/${id}/download`))
  }
}

/** video/webm;codecs=vp8 is webm. @param {string} content_type */
const extensionOf = content_type =>
  content_type.startsWith('text/') ? 'txt' : content_type.replace(/^\w+\/(?:x-)?(\w+).*$/, '$1')

const stateWords = { active: 'Recording now', processing: 'Being made ready', ready: 'Ready', failed: 'Failed' }
const audiences = { hosts: 'Hosts only', participants: 'Everybody who was there' }

/** @type {{ [failure: string]: string }} */
const failures = {
  nothing_came: 'Nothing was uploaded.',
  storage_full: 'There was no room left on the server.',
  chunks_lost: 'Parts of it never came.',
  broken: 'What came cannot be played.',
}
