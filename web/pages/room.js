import { wordForQuality } from '../parley.js'
import { followChat } from './room/chat.js'
import { followControls, readSent } from './room/controls.js'
import { createDoor } from './room/door.js'
import { followPeople } from './room/people.js'
import { followRecording } from './room/recorder.js'
import { createTiles } from './room/tiles.js'
import * as rooms from './room/where.js'
import { find } from './shared/dom.js'
import { showHeader } from './shared/header.js'
import { busy, tell, tellProblem } from './shared/notice.js'

/** A call, from the door to the goodbye. What each part of the page does is in `room/`. */

const room = find('room', HTMLElement)
const badge = find('badge', HTMLElement)
const side = find('show-side', HTMLButtonElement)
const leave = find('leave', HTMLButtonElement)
const tiles = createTiles(find('tiles', HTMLUListElement))
const door = createDoor({ enter })

showHeader()
find('room-title', HTMLElement).tabIndex = -1
side.addEventListener('click', () => {
  const open = side.getAttribute('aria-expanded') !== 'true'
  side.setAttribute('aria-expanded', `${open}`)
  room.classList.toggle('aside', open)
})

/** @param {rooms.Where} where @param {string} display_name @param {AbortSignal} signal */
async function enter(where, display_name, signal) {
  const stream = door.stream()
  const call = await rooms.enter(where, { display_name, stream, signal, waiting: door.wait })
  follow(call, where)
  const mine = call.connection.id
  tiles.add(mine, display_name, { mine: true, role: call.role })
  for (const peer of call.peers.values()) tiles.add(peer.connection, peer.display_name, peer)
  followControls(call, stream, (shown, source, sent) => {
    tiles.of(mine)?.show(shown, source)
    tiles.of(mine)?.sends(sent)
  })
  followRecording(call, tiles)
  turn(true)
  leave.onclick = () => busy(leave, call.leave)
  try {
    await furnish(call, where)
  } catch (error) {
    await call.leave() // a room in which half of the buttons are of another one is worse than none
    throw error
  }
}

/** @param {import('../client/call.js').Call} call @param {rooms.Where} where */
async function furnish(call, where) {
  const meeting = await call.api.call('GET', `/meetings/${call.meeting_id}`)
  badge.textContent = find('room-title', HTMLElement).textContent = where.room ?? meeting.title
  if (where.room) history.replaceState(null, '', `/?${new URLSearchParams({ room: where.room })}`)
  tiles.arrange(meeting.type)
  followPeople(call, { link: rooms.linkOf(where, meeting), locked: meeting.locked })
  await followChat(call)
}

/** @param {import('../client/call.js').Call} call @param {rooms.Where} where */
function follow(call, where) {
  call.on('peer', ({ peer }) => tiles.add(peer.connection, peer.display_name, peer))
  call.on('peer_updated', ({ peer }) => peer && tiles.of(peer.connection)?.become(peer.role))
  call.on('permissions', ({ role }) => tiles.of(call.connection.id)?.become(role))
  call.on('stream', ({ peer, stream }) => tiles.of(peer.connection)?.show(stream))
  call.on('state', ({ peer, state }) => tiles.of(peer.connection)?.tell(state))
  call.on('quality', ({ peer, quality }) => tiles.of(peer.connection)?.rate(wordForQuality(quality), quality))
  call.on('data', ({ peer, data }) => {
    const sent = readSent(data)
    if (sent) tiles.of(peer.connection)?.sends(sent)
  })
  call.on('left', ({ peer }) => tiles.remove(peer.connection))
  call.on('lost', () => tell('The server cannot be reached. The call goes on; trying again …', 'bad'))
  call.on('resumed', () => tell(''))
  call.on('ended', ({ reason }) => {
    tiles.clear()
    turn(false)
    tell(reasons[reason] ?? 'You are out of the room.')
    if (reason === 'timeout') door.come(where) // a network that was away, or a lid that was closed
  })
}

/** @type {{ [reason: string]: string }} */
const reasons = {
  left: 'You have left.',
  removed: 'A host has shown you out.',
  withdrawn: 'Your invitation has been withdrawn.',
  replaced: 'You are in this room with another tab.',
  timeout: 'The server had not heard of you for a while. Coming back …',
  meeting_ended: 'The meeting has ended.',
  poll_superseded: 'Another reader has taken this connection over. Enter again.',
}

/** @param {boolean} inside */
function turn(inside) {
  room.hidden = badge.hidden = !inside
  if (inside) {
    door.close()
    find('room-title', HTMLElement).focus()
  } else {
    find('recording', HTMLElement).hidden = true
    door.open()
  }
}

addEventListener('unhandledrejection', ({ reason }) => tellProblem(reason))
