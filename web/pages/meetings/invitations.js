import { answersTo } from '../shared/answers.js'
import { h } from '../shared/dom.js'
import { growingList, listAll } from '../shared/lists.js'
import { api } from '../shared/me.js'
import { section } from '../shared/section.js'
import { whenOf } from '../shared/time.js'
import { meetingWords, myAnswerWords, ruleWords } from '../shared/words.js'

/** @typedef {import('../shared/told.js').Invitation} Invitation */

/** What I am asked: first what waits for somebody's answer, and the rest on request. @param {() => unknown} answered */
export function showInvitations(answered) {
  const invitations = section('invitations', async () => {
    const asked = await Promise.all(
      ['pending', 'proposed'].map(status => listAll(`/invitations?status=${status}&limit=100`)),
    )
    const open = asked.flat().filter(({ meeting }) => isAhead(meeting))
    const shown = new Set(open.map(({ id }) => id))
    const others = await growingList('/invitations', invitation =>
      shown.has(invitation.id) ? undefined : item(invitation),
    )
    if (open.length === 0 && others.list.childElementCount === 0) return undefined
    return [
      open.length > 0
        ? h('ul', { className: 'list' }, ...open.map(item))
        : h('p', { className: 'quiet' }, 'Nobody waits for your answer.'),
      others.list.childElementCount > 0
        ? h('details', {}, h('summary', {}, 'Answered before'), others.list, others.more)
        : '',
    ]
  })

  /** @param {Invitation} invitation */
  function item(invitation) {
    const { id, meeting, status, message } = invitation
    const proposal = invitation.proposals.find(({ status }) => status === 'open')
    return h(
      'li',
      {},
      h('h3', {}, h('a', { href: `/meeting?id=${meeting.id}` }, meeting.title)),
      h(
        'p',
        { className: 'row' },
        h('span', { className: `badge ${status}` }, myAnswerWords[status] ?? status),
        meeting.status !== 'scheduled' && h('span', { className: 'badge' }, meetingWords[meeting.status]),
        h('span', {}, `by ${meeting.owner_name ?? 'somebody who is gone'}`),
      ),
      h('p', {}, whenOf(meeting), meeting.recurrence !== null && `, ${ruleWords(meeting.recurrence).toLowerCase()}`),
      proposal && h('p', {}, 'You propose ', whenOf({ ...proposal, time_zone: meeting.time_zone })),
      message !== null && h('blockquote', {}, message),
      ...(isAhead(meeting) ? answersTo(invitation, give) : []),
    )

    /** @type {import('../shared/answers.js').Give} */
    function give(button, verb, body, done) {
      return invitations.act(button, () => api.call('POST', `/invitations/${id}/${verb}`, body).finally(answered), done)
    }
  }

  const first = invitations.refresh()
  return { isEmpty: () => first.then(() => document.querySelector('#invitations li') === null) }
}

/** @param {{ status: string }} meeting */
const isAhead = ({ status }) => status === 'scheduled' || status === 'live'
