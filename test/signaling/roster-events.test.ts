import { describe, expect, it } from 'vitest'
import { createWorld, type Person } from '../support/world.ts'
import { everythingOf, join, type Seat } from './people.ts'
import { comeIn, type Insider, meet, newRoom, type Signal, word } from './room.ts'

const world = await createWorld()
const rounds = Array.from({ length: 50 }, (_, round) => round)

const types = (signals: Signal[]) => signals.map(({ type }) => type)
const about = (signals: Signal[], { connection }: { connection: string }) =>
  signals.filter(({ from, payload }) => from?.connection === connection || payload?.connection === connection)

describe('what those inside are told', () => {
  it('who came: their name, role and device, and the version of the roster', async () => {
    const { ada, room } = await meet(world)
    const { body } = await world.anyone.post(`/api/rooms/${room}/enter`, { display_name: 'Carl', device: 'Telephone' })
    const [told] = await ada.readAll()
    expect(told).toMatchObject({
      type: 'peer_joined',
      from: { connection: body.connection.id, participant: body.participant.id, user: null },
      payload: {
        participant: { id: body.participant.id, display_name: 'Carl', role: 'participant' },
        connection: body.connection.id,
        device: 'Telephone',
        polite: false,
        roster_version: body.roster_version,
      },
      glare: false,
      expires_at: null,
    })
  })

  it('who changed: their new role, to themselves, too', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    for (const person of [ada, bob, carl]) await person.drain()
    await ada.call('POST', ada.at(`/participants/${bob.participant.id}/role`), { role: 'co_host' })
    for (const person of [ada, bob, carl]) {
      const { connection } = bob
      expect(await person.readAll()).toMatchObject([
        { type: 'peer_updated', from: { connection }, payload: { connection, participant: { role: 'co_host' } } },
      ])
    }
  })

  it.each([
    ['left', (_: Insider, bob: Insider) => bob.leave()],
    [
      'removed',
      (ada: Insider, { participant }: Insider) =>
        ada.call('POST', ada.at(`/participants/${participant.id}/remove`), {}),
    ],
  ])('who went, and why: %s', async (reason, go) => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    for (const person of [ada, carl]) await person.drain()
    await go(ada, bob)
    const told = [await ada.readAll(), await carl.readAll()]
    const { connection, participant } = bob
    const payload = { connection, participant: participant.id, reason }
    for (const signals of told) expect(signals).toMatchObject([{ type: 'peer_left', from: { connection }, payload }])
  })

  it('who came in again in place of a connection: that it went, by what it is replaced, and then that one', async () => {
    const { ada, bob } = await meet(world)
    const { connection, resume_token } = bob
    const { body } = await bob.call('POST', bob.at('/join'), { replaces: { connection, resume_token } })
    expect(await ada.readAll()).toMatchObject([
      { type: 'peer_left', payload: { connection, reason: 'replaced', replaced_by: body.connection.id } },
      { type: 'peer_joined', payload: { connection: body.connection.id } },
    ])
  })

  it('that the meeting is locked, and is not any more', async () => {
    const { ada, bob } = await meet(world)
    await ada.call('POST', ada.at('/lock'), {})
    await ada.call('POST', ada.at('/unlock'), {})
    expect((await bob.readAll()).map(({ type, payload }) => [type, payload.change])).toEqual([
      ['meeting', 'locked'],
      ['meeting', 'unlocked'],
    ])
  })

  it('that somebody knocks, is let in, or not, or has gone: the hosts, and nobody else', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    const decide = (what: string) => ada.call('POST', ada.at(`/participants/${carl.participant.id}/${what}`), {})
    await decide('remove')
    for (const person of [ada, bob]) await person.drain()
    const knock = () => carl.call('POST', carl.at('/join'), {})
    const lobby = { type: 'meeting', payload: { meeting_id: ada.session.meeting_id, change: 'lobby' } }

    expect((await knock()).status).toBe(202)
    expect(await ada.readAll()).toMatchObject([lobby])
    expect((await knock()).status).toBe(202) // which is no news
    await carl.call('POST', carl.at('/leave'), {})
    expect(await ada.readAll()).toMatchObject([lobby, lobby])
    await knock()
    await decide('admit')
    expect(await ada.readAll()).toMatchObject([lobby, lobby, lobby, lobby])
    expect(await bob.readAll()).toEqual([])
  })

  it('that all who wait are let in: the hosts once, however many they are', async () => {
    const { ada, room } = await meet(world)
    for (const name of ['Carl', 'Dora', 'Emil']) {
      const guest = await comeIn(world, room, name)
      await ada.call('POST', ada.at(`/participants/${guest.participant.id}/remove`), {})
      expect((await guest.call('POST', guest.at('/join'), {})).status).toBe(202)
    }
    await ada.drain()
    const { body } = await ada.call('POST', ada.at('/lobby/admit-all'), {})
    expect(body.admitted).toBe(3)
    expect(await ada.readAll()).toMatchObject([{ type: 'meeting', payload: { change: 'lobby' } }])
  })

  it('each change with a higher version than the one before, and the last is what a newcomer is told', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await ada.call('POST', ada.at(`/participants/${carl.participant.id}/role`), { role: 'viewer' })
    await carl.leave()
    await bob.leave()
    const versions = (await ada.readAll()).map(({ payload }) => payload.roster_version)
    expect(versions).toHaveLength(4)
    expect([...new Set(versions)].sort((a, b) => a - b)).toEqual(versions)
  })
})

describe('who has gone', () => {
  it('leaves no offer, answer or candidate that nobody acknowledged, but a bye and a word stay', async () => {
    const { ada, bob } = await meet(world)
    const negotiation = ['offer', 'answer', 'candidate', 'candidates', 'end_of_candidates']
    const signals = [...negotiation, 'bye', 'custom.word'].map(type => word(ada, type, { type }))
    const { results } = (await bob.send({ signals })).body
    const seqs: number[] = results.map(({ deliveries: [at] }: { deliveries: { seq: number }[] }) => at?.seq)
    await ada.ack({ up_to: seqs[0] ?? 0 })
    await bob.leave()
    const { signals: left, gaps } = await everythingOf(ada)
    expect(types(left)).toEqual(['bye', 'custom.word', 'peer_left'])
    expect(gaps).toEqual([{ from_seq: seqs[1], to_seq: seqs[4], reason: 'peer_left' }])
    expect((await ada.ack({ up_to: seqs[4] ?? 0 })).body).toMatchObject({ acknowledged: 4 })
    expect(await everythingOf(ada)).toMatchObject({ signals: [{}, {}, {}], gaps: [] })
  })

  it('leaves what others have sent as it is', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    for (const person of [ada, bob]) await person.drain()
    await carl.send(word(ada, 'offer', { type: 'offer' }))
    await ada.send(word(carl, 'offer', { type: 'offer' }))
    await bob.send(word(ada, 'offer', { type: 'offer' }))
    await bob.leave()
    expect(types((await everythingOf(ada)).signals)).toEqual(['offer', 'peer_left'])
    expect(types((await everythingOf(carl)).signals)).toEqual(['offer', 'peer_left'])
  })
})

describe('fifty times at the same moment', () => {
  it('nothing of somebody comes before their peer_joined, or after their peer_left', async () => {
    const room = newRoom()
    const watcher = await comeIn(world, room, 'Watcher')
    await comeIn(world, room, 'Another')
    await watcher.drain()
    for (const round of rounds) {
      const cursor = await watcher.drain()
      const stays = await comeIn(world, room, `Stays ${round}`)
      const flits = comeIn(world, room, `Flits ${round}`).then(async flits => {
        const kinds = ['offer', 'candidate', 'custom.word', 'bye']
        const sends = kinds.flatMap(type => [1, 2].map(n => flits.send(word(watcher, n, { type }))))
        const noise = [stays.send(word(watcher, 'on')), watcher.send(word(flits, 'hi'))]
        const [left, ...replies] = await Promise.all([Promise.resolve().then(flits.leave), ...sends, ...noise])
        expect(left.status).toBe(200)
        const answered = replies.slice(0, sends.length).map(({ status }) => status)
        for (const status of answered) expect([200, 410]).toContain(status)
        return flits
      })
      const gone = await flits
      const { signals } = await everythingOf(watcher, cursor)
      const theirs = types(about(signals, gone))
      expect([theirs.indexOf('peer_joined'), theirs.lastIndexOf('peer_joined')]).toEqual([0, 0])
      const last = theirs.length - 1
      expect([theirs.indexOf('peer_left'), theirs.lastIndexOf('peer_left')]).toEqual([last, last])
      expect(
        theirs.filter(type => type === 'offer' || type === 'candidate'),
        'taken back',
      ).toEqual([])
      await stays.leave()
    }
  })

  it('two who come know of each other: one has the other in the roster, or is told', async () => {
    for (const round of rounds) {
      const room = newRoom()
      const two = await Promise.all([0, 1].map(i => comeIn(world, room, `Person ${round} ${i}`)))
      const [one, other] = two as [Insider, Insider]
      const knows = async (me: Insider, you: Insider) => {
        const listed = me.roster.filter(({ connection }) => connection === you.connection).length
        const told = about(await me.readAll(), you).filter(({ type }) => type === 'peer_joined').length
        return [listed, told]
      }
      const [first, second] = [await knows(one, other), await knows(other, one)]
      expect([first, second].sort()).toEqual([
        [0, 1],
        [1, 0],
      ])
    }
  })

  it('a removal and what the removed one sends: it is there before, or not at all', async () => {
    for (const _ of rounds) {
      const { ada, bob } = await meet(world)
      const sends = Array.from({ length: 3 }, (_, i) => bob.send(word(ada, i)))
      const remove = ada.call('POST', ada.at(`/participants/${bob.participant.id}/remove`), {})
      const replies = await Promise.all(sends)
      expect((await remove).status).toBe(200)
      const signals = await ada.readAll()
      expect(types(signals).at(-1)).toBe('peer_left')
      const answered = replies.filter(({ status }) => status === 200).length
      expect(signals.filter(({ type }) => type === 'custom.word')).toHaveLength(answered)
    }
  })
})

describe('where only hosts are seen and heard', () => {
  /** A host, and some who watch. */
  async function webinar(viewers = 3) {
    const held = await world.make.meeting({ type: 'webinar', lobby: false })
    const host = await join(held.owner, held.at)
    const people: Person[] = []
    const seats: Seat[] = []
    for (let i = 0; i < viewers; i++) {
      const person = await world.make.invitee(held)
      people.push(person)
      seats.push(await join(person, held.at))
    }
    const role = ({ participant }: Seat, to: string) =>
      held.owner.post(held.at(`/participants/${participant.id}/role`), { role: to })
    return { ...held, host, people, seats: seats as [Seat, Seat, ...Seat[]], role }
  }
  const readTypes = async (seat: Seat, other: Seat) => types(about((await everythingOf(seat)).signals, other))

  it('those who watch hear nothing of each other, and hosts of all of them', async () => {
    const { host, people, seats, at } = await webinar()
    const [first, second] = seats
    await people[1]?.post(at('/leave'))
    expect(await readTypes(first, second)).toEqual([])
    expect(await readTypes(host, second)).toEqual(['peer_joined', 'peer_left'])
    expect(first.participant.role).toBe('viewer')
  })

  it('all hear of those who send: who comes, becomes one, and goes', async () => {
    const { owner, host, seats, role, at } = await webinar()
    const [first, second] = seats
    const again = await join(owner, at)
    await role(second, 'co_host')
    await owner.post(at('/leave'), { connection: again.connection })
    expect(await readTypes(first, again)).toEqual(['peer_joined', 'peer_left'])
    expect(await readTypes(first, second)).toEqual(['peer_updated'])
    expect(await readTypes(host, second)).toEqual(['peer_joined', 'peer_updated'])
  })

  it('who was seen and is not any more: those who watch are told that, too', async () => {
    const { seats, role } = await webinar()
    const [first, second] = seats
    await role(second, 'co_host')
    await role(second, 'viewer')
    const updates = about((await everythingOf(first)).signals, second)
    expect(updates.map(({ payload }) => payload.participant.role)).toEqual(['co_host', 'viewer'])
  })

  it('what somebody who watches sent to another is taken back when they go', async () => {
    const { people, seats, at } = await webinar()
    const [first, second] = seats
    const recvonly = { type: 'offer', sdp: 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n' }
    const to = { connection: first.connection }
    await second.send({ to, type: 'offer', payload: recvonly })
    await second.send({ to, type: 'candidate', payload: 1 })
    expect(await readTypes(first, second)).toEqual(['offer', 'candidate'])
    await people[1]?.post(at('/leave'))
    const { signals, gaps } = await everythingOf(first)
    expect(types(about(signals, second))).toEqual([])
    expect(gaps).toMatchObject([{ reason: 'peer_left' }])
  })
})
