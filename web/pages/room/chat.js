import { find, h } from '../shared/dom.js'
import { busy } from '../shared/notice.js'
import { timeOf } from '../shared/time.js'

/** @typedef {{ number: number, display_name: string, text: string, sent_at: string }} Message */

/** What has been written, and what is. @param {import('../../client/call.js').Call} call */
export async function followChat(call) {
  const list = find('messages', HTMLOListElement)
  const form = find('write', HTMLFormElement)
  const field = find('text', HTMLInputElement)
  let last = 0
  list.replaceChildren()
  list.tabIndex = 0 // or who has no mouse cannot scroll it
  const allow = () => {
    field.disabled = !call.permissions.chat
    field.placeholder = call.permissions.chat ? 'Write a message' : 'Hosts alone write here'
  }
  allow()
  call.on('permissions', allow)
  /** What comes while the past is being read waits for it. @type {Message[] | undefined} */
  let early = []
  call.on('chat', ({ payload }) => (early ? early.push(payload) : show(payload)))
  form.onsubmit = event => {
    event.preventDefault()
    const text = field.value.trim()
    if (text === '') return
    busy(form.querySelector('button'), async () => {
      await call.chat(text)
      field.value = ''
    })
  }

  list.setAttribute('aria-live', 'off') // nobody wants all of the past read to them
  try {
    for (let cursor = ''; ; ) {
      const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) })
      const page = await call.api.call('GET', `/meetings/${call.meeting_id}/messages?${query}`)
      page.data.forEach(show)
      if (!page.next_cursor) break
      cursor = page.next_cursor
    }
  } finally {
    early.forEach(show)
    early = undefined
    list.setAttribute('aria-live', 'polite')
  }

  /** @param {Message} message */
  function show({ number, display_name, text, sent_at }) {
    if (number <= last) return
    last = number
    const when = h('time', { datetime: sent_at }, timeOf(sent_at))
    const line = h('li', {}, h('b', {}, display_name), ' ', when, h('p', {}, text))
    list.append(line)
    line.scrollIntoView({ block: 'nearest' })
  }
}
