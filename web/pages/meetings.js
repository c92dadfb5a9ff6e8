import { showAgenda } from './meetings/agenda.js'
import { showInvitations } from './meetings/invitations.js'
import { offerCode, offerPlan } from './meetings/plan.js'
import { h, ready } from './shared/dom.js'
import { showHeader } from './shared/header.js'
import { askToSignIn, me } from './shared/me.js'
import { section } from './shared/section.js'

/** My meetings: what I am asked, what is ahead, what has been, and the way to a new one. */

const user = me()
if (user) show(user)
else askToSignIn()

/** @param {import('./shared/me.js').User} user */
function show({ name }) {
  showHeader()
  offerPlan()
  offerCode()
  ready()
  const agenda = showAgenda()
  const invitations = showInvitations(() => agenda.refresh())
  const welcome = section('welcome', async () => {
    const [meetings, asked] = await Promise.all([agenda.isEmpty(), invitations.isEmpty()])
    return meetings && asked ? firstSteps(name) : undefined
  })
  welcome.refresh()
}

/** @param {string} name */
const firstSteps = name => [
  h('p', {}, `Welcome, ${name}. You have no meetings yet, and nobody has invited you.`),
  h(
    'ul',
    {},
    h('li', {}, 'Make one: give it a title, and a time or none, for then it begins at once.'),
    h('li', {}, 'On its page, invite people by their mail addresses, or hand out its code.'),
    h('li', {}, 'Were you given a code? Enter it in “Join by code”.'),
  ),
]
