import { h, said } from '../shared/dom.js'
import { listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { section } from '../shared/section.js'
import { answerWords, roleWords } from '../shared/words.js'
import { comparison } from './proposals.js'

/** @typedef {import('../shared/told.js').Invitation} Invitation */

/**
 * Who is invited and what they answered; the times that they propose stand side by side above.
 * @param {string} id
 * @param {{ mine: boolean, isOpen: () => boolean, moved: () => unknown }} options whether I decide, whether anybody may
 *   still be invited, and what to do when the meeting has another time
 */
export function showPeople(id, { mine, isOpen, moved }) {
  /** @type {Map<string, string>} */
  let names = new Map()
  const nameOf = (/** @type {Invitation} */ { user_id, email }) => names.get(user_id ?? '') ?? email ?? 'Somebody'
  const listInvited = () => listAll(`/meetings/${id}/invitations?limit=100`)

  const people = section('people', async () => {
    const [invited, participants] = await Promise.all([
      listInvited(),
      listAll(`/meetings/${id}/participants?limit=100`),
    ])
    names = new Map(participants.map(({ user_id, display_name }) => [user_id, display_name]))
    const standing = invited.filter(({ status }) => status !== 'withdrawn')
    return [
      standing.length > 0
        ? h('ul', { className: 'list' }, ...standing.map(item))
        : h('p', { className: 'quiet' }, 'Nobody is invited yet.'),
      isOpen() ? inviting(standing.length === 0) : '',
    ]
  })

  const proposals = section('proposals', async () => {
    const proposed = (await listInvited()).filter(({ status }) => status === 'proposed')
    return proposed.length > 0 ? [comparison(proposed, nameOf, mine ? decide : undefined)] : undefined
  })

  /** Where a time is accepted, the whole page is about another one. @type {import('./proposals.js').Decide} */
  function decide(button, invitation, verb) {
    const done = verb === 'accept' ? 'The meeting has moved, and the others are asked again.' : 'Declined.'
    const work = async () => {
      await api.call('POST', `/invitations/${invitation.id}/proposal/${verb}`)
      await people.refresh()
      await moved()
    }
    return proposals.act(button, work, done)
  }

  /** @param {Invitation} invitation */
  function item(invitation) {
    const { id, status, role, note, email } = invitation
    const name = nameOf(invitation)
    const withdraw = h(
      'button',
      { type: 'button', 'aria-label': `Withdraw the invitation of ${name}`, on: { click: pressed } },
      'Withdraw',
    )
    function pressed() {
      const work = async () => {
        await api.call('DELETE', `/invitations/${id}`)
        await proposals.refresh()
      }
      return people.act(withdraw, work, `${name} is not invited any more.`)
    }
    return h(
      'li',
      { className: 'row' },
      h(
        'div',
        { className: 'grow' },
        h('b', {}, name),
        email !== null && email !== name && h('span', { className: 'quiet' }, ` ${email}`),
        role !== 'participant' && h('span', { className: 'quiet' }, ` · ${roleWords[role]}`),
        note !== null && status !== 'proposed' && h('blockquote', {}, note),
      ),
      h('span', { className: `badge ${status}` }, answerWords[status] ?? status),
      isOpen() && withdraw,
    )
  }

  /** @param {boolean} open */
  function inviting(open) {
    const button = h('button', { type: 'submit', className: 'primary' }, 'Invite')
    const form = h(
      'form',
      { on: { submit } },
      h('label', {}, 'Mail addresses, as many as you like ', h('textarea', { name: 'emails', required: true })),
      h(
        'label',
        {},
        'As ',
        h(
          'select',
          { name: 'role' },
          h('option', { value: '' }, 'What is usual for its type'),
          ...['co_host', 'participant', 'viewer'].map(value => h('option', { value }, roleWords[value])),
        ),
      ),
      h('label', {}, 'A few words to them, if you like ', h('textarea', { name: 'message', maxLength: 1000 })),
      h('p', {}, button),
    )
    return h('details', { open }, h('summary', {}, 'Invite people'), form)

    /** @param {SubmitEvent} event */
    function submit(event) {
      event.preventDefault()
      const { emails = '', role, message } = said(form)
      const invitees = emails
        .split(/[\s,;]+/)
        .filter(Boolean)
        .map(email => ({ email, role }))
      people.act(
        button,
        () => api.call('POST', `/meetings/${id}/invitations`, { invitees, message }),
        'They get a mail.',
      )
    }
  }

  const refresh = async () => {
    await people.refresh()
    await proposals.refresh()
  }
  refresh()
  return { refresh }
}
