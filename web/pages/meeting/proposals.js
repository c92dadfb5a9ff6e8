import { h } from '../shared/dom.js'
import { whenOf } from '../shared/time.js'
import { minutesInWords } from '../shared/words.js'

/** @typedef {import('../shared/told.js').Invitation} Invitation */
/** @typedef {(button: HTMLButtonElement, invitation: Invitation, verb: 'accept' | 'decline') => unknown} Decide */

/**
 * What people propose, side by side: each with the time that it has now, and what would be different.
 * @param {Invitation[]} invitations @param {(invitation: Invitation) => string} nameOf
 * @param {Decide} [decide] for the owner
 */
export function comparison(invitations, nameOf, decide) {
  return h('ul', { className: 'list side-by-side' }, ...invitations.map(card))

  /** @param {Invitation} invitation */
  function card(invitation) {
    const { meeting, proposals } = invitation
    const proposal = proposals.find(({ status }) => status === 'open')
    const name = nameOf(invitation)
    const button = (/** @type {'accept' | 'decline'} */ verb, /** @type {string} */ text) => {
      const made = h(
        'button',
        {
          type: 'button',
          className: verb === 'accept' ? 'primary' : '',
          'aria-label': `${text} what ${name} proposes`,
          on: { click: () => decide?.(made, invitation, verb) },
        },
        text,
      )
      return made
    }
    if (!proposal) return ''
    const { note } = proposal
    return h(
      'li',
      { className: 'card' },
      h('h3', {}, name),
      h(
        'dl',
        {},
        h('dt', {}, 'Now'),
        h('dd', {}, whenOf(meeting)),
        h('dt', {}, 'Proposed'),
        h('dd', {}, whenOf({ ...proposal, time_zone: meeting.time_zone })),
        h('dt', {}, 'Difference'),
        h('dd', {}, differenceOf(meeting, proposal)),
      ),
      note !== null && h('blockquote', {}, note),
      decide && h('p', { className: 'row' }, button('accept', 'Accept'), button('decline', 'Decline')),
    )
  }
}

/**
 * 2 hours later, and 15 minutes shorter.
 * @param {import('../shared/told.js').Timing} now @param {{ scheduled_at: string, duration_minutes: number }} proposed
 */
function differenceOf(now, proposed) {
  const moved =
    now.scheduled_at === null ? 0 : (Date.parse(proposed.scheduled_at) - Date.parse(now.scheduled_at)) / 60_000
  const longer = proposed.duration_minutes - now.duration_minutes
  const parts = [
    moved !== 0 && `${minutesInWords(Math.abs(moved))} ${moved > 0 ? 'later' : 'earlier'}`,
    longer === 0 ? 'as long as now' : `${minutesInWords(Math.abs(longer))} ${longer > 0 ? 'longer' : 'shorter'}`,
  ]
  return parts.filter(Boolean).join(', ')
}
