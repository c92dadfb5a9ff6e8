import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { join, type Seat } from './people.ts'
import { type Insider, meet } from './room.ts'

const world = await createWorld()

const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0']
const sdp = (...lines: string[]) => [...head, ...lines, ''].join('\r\n')
const audio = 'm=audio 9 UDP/TLS/RTP/SAVPF 111'
const video = 'm=video 9 UDP/TLS/RTP/SAVPF 96'
const data = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'

const sending: { [what: string]: string } = {
  sendrecv: sdp(audio, 'a=sendrecv'),
  sendonly: sdp(audio, 'a=sendonly'),
  'no direction at all': sdp(audio, 'a=mid:0'),
  'a picture, after a sound that only comes in': sdp(audio, 'a=recvonly', video, 'a=sendonly'),
  'a sound, before a picture that only comes in': sdp(audio, 'a=sendrecv', video, 'a=recvonly'),
  'a direction for all of it': sdp('a=sendrecv', audio, video, 'a=inactive'),
  'another direction than is said for all of it': sdp('a=recvonly', audio, 'a=sendrecv'),
  // What browsers make of these differs from what is written about them, and theirs is what counts.
  'no direction but one for all of it, which Chromium does not read': sdp('a=recvonly', audio),
  'two directions, of which Chromium takes the last': sdp(audio, 'a=recvonly', 'a=sendrecv'),
  'a direction with something behind it': sdp(audio, 'a=recvonly', 'a=sendrecv:1'),
  'another direction behind a mere carriage return, where no line ends': sdp(audio, 'a=mid:0\ra=recvonly'),
  'lines that end without a carriage return': sdp(audio, 'a=sendrecv').replaceAll('\r\n', '\n'),
  'a section that is bundled, and therefore has no port': sdp('m=audio 0 UDP/TLS/RTP/SAVPF 111', 'a=bundle-only'),
  'text, which is a medium, too': sdp('m=text 9 RTP/AVP 98'),
  'a data channel besides': sdp(data, audio, 'a=sendrecv'),
}
const watching: { [what: string]: string } = {
  recvonly: sdp(audio, 'a=recvonly', video, 'a=recvonly'),
  inactive: sdp(audio, 'a=inactive'),
  'a data channel': sdp(data, 'a=sctp-port:5000'),
  'a data channel and what comes in': sdp(data, audio, 'a=recvonly'),
  'a section that is rejected': sdp('m=video 0 UDP/TLS/RTP/SAVPF 96', audio, 'a=recvonly'),
  'no section': sdp(),
}

const description = (to: { connection: string }, text: string, type = 'offer') => ({
  to: { connection: to.connection },
  type,
  payload: { type, sdp: text },
})

async function changeRole(host: Insider, { participant }: Insider, role: string): Promise<void> {
  expect((await host.call('POST', host.at(`/participants/${participant.id}/role`), { role })).status).toBe(200)
}

/** A host, and somebody who may only watch. */
async function withViewer() {
  const { ada, bob, room } = await meet(world)
  await changeRole(ada, bob, 'viewer')
  for (const person of [ada, bob]) await person.drain()
  return { ada, bob, room }
}

const told = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code]
const refused = [403, 'viewer_may_not_send']
const typesIn = async (inbox: Insider) => (await inbox.readAll()).map(({ type }) => type)

describe('who may only watch', () => {
  it.each(Object.entries(sending))('offers and answers nothing that sends: %s', async (_, text) => {
    const { ada, bob } = await withViewer()
    for (const type of ['offer', 'answer']) expect(told(await bob.send(description(ada, text, type)))).toEqual(refused)
    expect(await typesIn(ada)).toEqual([])
  })

  it.each(Object.entries(watching))('offers and answers what only receives: %s', async (_, text) => {
    const { ada, bob } = await withViewer()
    for (const type of ['offer', 'answer']) expect((await bob.send(description(ada, text, type))).status).toBe(200)
    expect(await typesIn(ada)).toEqual(['offer', 'answer'])
  })

  it.each([
    ['a text', (text: string) => text],
    ['a member of a member', (text: string) => ({ description: { jsep: [{ sdp: text }] } })],
    ['a list', (text: string) => [1, text]],
  ])('hides it nowhere in the payload: %s', async (_, hide) => {
    const { ada, bob } = await withViewer()
    const offer = (text: string) => ({ ...description(ada, text), payload: hide(text) })
    expect(told(await bob.send(offer(sdp(audio, 'a=sendrecv'))))).toEqual(refused)
    expect((await bob.send(offer(sdp(audio, 'a=recvonly')))).status).toBe(200)
  })

  it('sends nothing of a POST that has one such, and its number is not used', async () => {
    const { ada, bob } = await withViewer()
    const signals = [description(ada, sdp(audio, 'a=recvonly')), description(ada, sdp(audio, 'a=sendonly'))]
    expect(told(await bob.send({ first_seq: 1, signals }))).toEqual(refused)
    expect(await typesIn(ada)).toEqual([])
    expect((await bob.send({ first_seq: 1, signals: signals.slice(0, 1) })).body.results).toMatchObject([
      { status: 'queued' },
    ])
  })

  it('may speak of such things where they are no description', async () => {
    const { ada, bob } = await withViewer()
    const word = { to: { connection: ada.connection }, type: 'custom.word', payload: sdp(audio, 'a=sendrecv') }
    expect((await bob.send(word)).status).toBe(200)
  })

  it('is sent to like everybody else', async () => {
    const { ada, bob } = await withViewer()
    expect((await ada.send(description(bob, sdp(audio, 'a=sendrecv')))).status).toBe(200)
  })
})

describe('a role that changes in the middle', () => {
  it('counts from the next signal on, one way and the other', async () => {
    const { ada, bob } = await meet(world)
    const send = () => bob.send(description(ada, sdp(audio, 'a=sendrecv')))
    for (let i = 0; i < 3; i++) {
      expect((await send()).status).toBe(200)
      await changeRole(ada, bob, 'viewer')
      expect(told(await send())).toEqual(refused)
      await changeRole(ada, bob, 'participant')
    }
    expect((await send()).status).toBe(200)
  })

  it('leaves nothing that sends behind its announcement, also when both come at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const { ada, bob } = await meet(world)
      const sends = () => Array.from({ length: 4 }, () => bob.send(description(ada, sdp(audio, 'a=sendrecv'))))
      await Promise.all([...sends(), changeRole(ada, bob, 'viewer'), ...sends()])
      const types = await typesIn(ada)
      expect(types.slice(types.indexOf('peer_updated'))).toEqual(['peer_updated'])
    }
  })

  it('counts on every device of theirs, and for a meeting that lets others send', async () => {
    const held = await world.make.meeting()
    const user = await world.make.invitee(held)
    const host = await join(held.owner, held.at)
    const seats: Seat[] = [await join(user, held.at), await join(user, held.at)]
    const all = () => Promise.all(seats.map(({ send }) => send(description(host, sdp(audio, 'a=sendrecv')))))
    expect((await all()).map(({ status }) => status)).toEqual([200, 200])
    expect((await held.owner.patch(held.at(), { senders: 'hosts' })).status).toBe(200)
    expect((await all()).map(told)).toEqual([refused, refused])
    await held.owner.patch(held.at(), { senders: 'all' })
    expect((await all()).map(({ status }) => status)).toEqual([200, 200])
    await held.owner.post(held.at(`/participants/${seats[0]?.participant.id}/role`), { role: 'viewer' })
    expect((await all()).map(told)).toEqual([refused, refused])
  })
})
