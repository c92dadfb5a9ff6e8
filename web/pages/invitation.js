import { createApi, Problem } from '../client/api.js'
import { answersTo } from './shared/answers.js'
import { find, h } from './shared/dom.js'
import { showHeader } from './shared/header.js'
import { me, api as mine } from './shared/me.js'
import { busy } from './shared/notice.js'
import { section } from './shared/section.js'
import { whenOf } from './shared/time.js'
import { meetingWords, myAnswerWords, ruleWords } from './shared/words.js'

/**
 * Where the link of a mail leads: `/invitation#<token>`. No account is needed. The token is good for an answer, so it does
 * not stay in the address, which people show and send; this tab remembers it.
 */

const place = 'parley.invitation'
const heading = find('invitation-heading', HTMLElement)
const path = () => `/invitations/link/${encodeURIComponent(sessionStorage.getItem(place) ?? '')}`
const page = section('invitation', load)

/** Whoever is signed in answers as who they are, and the invitation becomes theirs. */
const api = me() ? mine : createApi()

/** What an accepted invitation gave to join with; undefined until it is accepted on this page. @type {{ participant_token: string | null } | undefined} */
let accepted

showHeader()
addEventListener('hashchange', open)
open()

function open() {
  if (location.hash.length > 1) {
    sessionStorage.setItem(place, location.hash.slice(1))
    history.replaceState(null, '', location.pathname)
    accepted = undefined
  }
  page.refresh()
}

async function load() {
  if (!sessionStorage.getItem(place)) return cannot('Open this page by the link of the mail that you were sent.')
  try {
    return show(await createApi().call('GET', path()))
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error
    return cannot(
      'This link is not good any more: the invitation was withdrawn, or the meeting is gone. Ask who sent it.',
    )
  }
}

/** @param {string} why */
function cannot(why) {
  heading.textContent = 'There is no invitation here'
  return [h('p', {}, why)]
}

/** @param {import('./shared/told.js').Invitation} invitation */
function show(invitation) {
  const { meeting, status, message } = invitation
  const user = me()
  const over = meeting.status === 'ended' || meeting.status === 'cancelled'
  const proposal = invitation.proposals.find(({ status }) => status === 'open')
  heading.textContent = meeting.title
  return [
    h('p', {}, meeting.owner_name ?? 'Somebody', ' invites you.'),
    h('p', {}, whenOf(meeting), meeting.recurrence !== null && `, ${ruleWords(meeting.recurrence).toLowerCase()}`),
    h(
      'p',
      { className: 'row' },
      h('span', { className: `badge ${status}` }, myAnswerWords[status] ?? status),
      meeting.status !== 'scheduled' &&
        h('span', { className: `badge ${meeting.status}` }, meetingWords[meeting.status]),
    ),
    ...(proposal ? [h('p', {}, 'You propose ', whenOf({ ...proposal, time_zone: meeting.time_zone }))] : []),
    ...(message !== null ? [h('blockquote', {}, message)] : []),
    ...(meeting.description === '' ? [] : [h('p', { className: 'words' }, meeting.description)]),
    ...(status === 'accepted' && !over ? [wayIn(invitation)] : []),
    ...(user && !over
      ? [h('p', { className: 'quiet' }, `You are signed in as ${user.name}: you answer as yourself.`)]
      : []),
    ...(over
      ? [h('p', {}, 'It is over: nothing is left to answer.')]
      : answersTo(invitation, give, user ? {} : { named: '' })),
  ]
}

/** @type {import('./shared/answers.js').Give} */
function give(button, verb, body, done) {
  return page.act(
    button,
    async () => {
      const { display_name, ...answer } = /** @type {{ display_name?: string }} */ (body)
      const told = await api.call('POST', `${path()}/${verb}`, verb === 'accept' ? body : answer)
      accepted = verb === 'accept' ? told : undefined
      if (verb === 'accept') keepGuest(told, display_name)
    },
    done,
  )
}

/** @param {import('./shared/told.js').Invitation} invitation */
function wayIn({ meeting }) {
  const href = `/?meeting=${meeting.id}`
  if (me()) return h('p', {}, h('a', { className: 'button primary', href }, 'Join'))
  if (accepted && accepted.participant_token === null) {
    const next = new URLSearchParams({ next: href })
    return h(
      'p',
      {},
      'This invitation belongs to an account. ',
      h('a', { href: `/sign-in?${next}` }, 'Sign in to join'),
    )
  }
  const join = h('button', { type: 'button', className: 'primary', on: { click: () => busy(join, enter) } }, 'Join')
  return h('p', {}, join)

  /** Whoever has accepted some other day is given another token. */
  async function enter() {
    if (!accepted) {
      accepted = await api.call('POST', `${path()}/accept`, { sequence: meeting.sequence })
      keepGuest(/** @type {any} */ (accepted))
    }
    if (accepted?.participant_token) location.assign(href)
    else page.refresh()
  }
}

/**
 * The page of the room finds who I am there.
 * @param {{ participant_token: string | null, invitation: import('./shared/told.js').Invitation }} told
 * @param {string} [display_name]
 */
function keepGuest({ participant_token, invitation }, display_name) {
  if (participant_token === null) return
  const guest = { meeting_id: invitation.meeting_id, participant_token, display_name }
  sessionStorage.setItem('parley.guest', JSON.stringify(guest))
}
