import { fill, find, h } from '../shared/dom.js'
import { busy, tell, tellProblem } from '../shared/notice.js'

/** @typedef {import('../../client/hosting.js').Person} Person */

const roles = /** @type {const} */ ({ host: 'host', co_host: 'co-host', participant: '', viewer: 'viewer' })

/**
 * Who is here and, for hosts, who would like to be. What a host may do, the server decides.
 * @param {import('../../client/call.js').Call} call
 * @param {{ link: string, locked: boolean }} meeting
 */
export function followPeople(call, { link, locked }) {
  const present = find('present', HTMLUListElement)
  const waiting = find('waiting', HTMLElement)
  const banned = find('banned', HTMLElement)
  const lock = find('lock', HTMLButtonElement)
  const end = find('end', HTMLButtonElement)
  const title = find('people-title', HTMLElement)
  const { hosting } = call
  let knocking = ''
  let news = false
  let looking = false
  const isHost = () => call.role === 'host' || call.role === 'co_host'

  for (const event of ['peer', 'left', 'peer_updated']) call.on(event, showPresent)
  // Who was let in by other means than this page stands in its list until somebody looks.
  call.on('peer', () => !waiting.hidden && showWaiting())
  call.on('permissions', showAll)
  call.on('meeting', ({ payload }) => {
    if (payload.change === 'lobby') showWaiting()
    else if (payload.change !== 'updated') showLock(payload.change === 'locked')
  })
  lock.onclick = () =>
    busy(lock, () => (lock.getAttribute('aria-pressed') === 'true' ? hosting.unlock() : hosting.lock()))
  end.onclick = () => busy(end, hosting.end)
  find('admit-all', HTMLButtonElement).onclick = event =>
    busy(/** @type {HTMLButtonElement} */ (event.currentTarget), hosting.admitAll)
  find('copy-link', HTMLButtonElement).onclick = async () => {
    try {
      await navigator.clipboard.writeText(link)
      tell('The link is copied. Whoever has it can ask to come in.')
    } catch {
      tell(link) // to be copied by hand
    }
  }
  // Lines of another call know another meeting.
  for (const list of [present, find('waiting-list', HTMLUListElement)]) list.replaceChildren()
  showLock(locked)
  showAll()

  function showAll() {
    lock.hidden = end.hidden = !isHost()
    showPresent()
    showWaiting()
    showBanned()
  }

  function showPresent() {
    const mine = {
      id: call.participant.id,
      display_name: `${call.participant.display_name} (you)`,
      role: call.role,
      me: true,
    }
    /** One line for each person, with however many devices. */
    const people = new Map([[mine.id, mine]])
    for (const { participant, display_name, role } of call.peers.values()) {
      if (!people.has(participant)) people.set(participant, { id: participant, display_name, role, me: false })
    }
    title.textContent = `People (${people.size})`
    const lines = [...people.values()].map(person => ({
      ...person,
      decides: isHost() && !person.me && person.role !== 'host',
    }))
    fill(present, lines, line)
  }

  /** @param {{ id: string, display_name: string, role: string, decides: boolean }} person */
  function line({ id, display_name, role, decides }) {
    const word = roles[/** @type {keyof typeof roles} */ (role)]
    const other = role === 'co_host' ? 'participant' : 'co_host'
    return h(
      'li',
      {},
      h('span', {}, display_name, word && h('span', { className: 'badge' }, word)),
      decides &&
        h(
          'details',
          { className: 'decide' },
          h('summary', { 'aria-label': `What to do with ${display_name}` }, '…'),
          button(other === 'co_host' ? 'Make co-host' : 'No co-host any more', () => hosting.changeRole(id, other)),
          role === 'viewer'
            ? button('Let speak', () => hosting.changeRole(id, 'participant'))
            : button('Make viewer', () => hosting.changeRole(id, 'viewer')),
          button('Remove', () => hosting.remove(id), 'danger'),
          button('Ban', () => hosting.remove(id, { ban: true }).then(showBanned), 'danger'),
        ),
    )
  }

  /** One look at a time, and one more if there was news meanwhile: else an older answer could come last. */
  async function showWaiting() {
    news = true
    if (looking) return
    looking = true
    while (news) {
      news = false
      showKnocking(isHost() ? await list('waiting') : [])
    }
    looking = false
  }

  /** @param {Person[]} people */
  function showKnocking(people) {
    waiting.hidden = people.length === 0
    find('show-side', HTMLButtonElement).textContent =
      people.length > 0 ? `People and chat (${people.length} waiting)` : 'People and chat'
    const names = people.map(({ display_name }) => display_name).join(', ')
    if (names !== knocking) tell(names && `${names} would like to come in.`)
    knocking = names
    fill(find('waiting-list', HTMLUListElement), people, ({ id, display_name }) =>
      h(
        'li',
        { className: 'row' },
        h('span', { className: 'grow' }, display_name),
        button('Admit', () => hosting.admit(id), 'primary', display_name),
        button('Deny', () => hosting.deny(id), 'danger', display_name),
      ),
    )
  }

  async function showBanned() {
    const people = isHost() ? await list('banned') : []
    banned.hidden = people.length === 0
    find('banned-list', HTMLUListElement).replaceChildren(
      ...people.map(({ id, display_name }) =>
        h(
          'li',
          { className: 'row' },
          h('span', { className: 'grow' }, display_name),
          button('Unban', () => hosting.unban(id).then(showBanned), '', display_name),
        ),
      ),
    )
  }

  /** @param {string} state @returns {Promise<Person[]>} */
  async function list(state) {
    try {
      return await hosting.list(state)
    } catch (error) {
      tellProblem(error)
      return []
    }
  }

  /** @param {string} text @param {() => Promise<unknown>} work @param {string} [className] @param {string} [about] */
  function button(text, work, className = '', about = undefined) {
    const made = h('button', { type: 'button', className, 'aria-label': about && `${text} ${about}` }, text)
    made.addEventListener('click', () => busy(made, work))
    return made
  }

  /** @param {boolean} on */
  function showLock(on) {
    lock.setAttribute('aria-pressed', `${on}`)
    lock.textContent = on ? 'Unlock' : 'Lock'
  }
}
