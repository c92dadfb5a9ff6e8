import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import type { Participant } from '../../src/features/meetings/schema.ts'
import type { Client } from '../support/client.ts'
import { linkIn } from '../support/smtp.ts'
import { createWorld, type Held, PASSWORD, type Person } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()
const visitor = await world.make.user()

const withToken = (token: string, client: Client = world.anyone) =>
  client.with({ headers: { Authorization: `Bearer ${token}` } })

const makeMeeting = (body: object = {}) => world.make.meeting(body, owner)

type Reply = Awaited<ReturnType<Client['get']>>
const told = ({ status, body }: Reply) => [status, body.code ?? body.participant?.state]

async function listPeople({ at }: Held, state: string): Promise<Participant[]> {
  return (await owner.get(at(`/participants?state=${state}&limit=100`))).body.data
}

/** Asks until somebody waits, and answers who. */
async function firstToWait(held: Held): Promise<Participant> {
  for (;;) {
    const [person] = await listPeople(held, 'waiting')
    if (person) return person
  }
}

/** A live meeting with a lobby, and somebody with an account who has been invited and has not come yet. */
async function withLobby(body: object = {}) {
  const held = await makeMeeting({ lobby: true, ...body })
  const invitee = await world.make.invitee(held, { user: visitor })
  const door = (person: Pick<Participant, 'id'>, verb: string) => held.at(`/participants/${person.id}/${verb}`)
  return { held, invitee, at: held.at, door }
}

/** What the mail to this address links to. */
async function mailedLink(address: string): Promise<string> {
  world.clock.advance(5) // so often is the post collected
  await world.app.mailSweeper.tick()
  const outbox = join(world.storage_dir, 'outbox')
  for (const file of readdirSync(outbox).filter(name => name.endsWith('.eml'))) {
    const { to, text } = await PostalMime.parse(readFileSync(join(outbox, file)))
    const link = linkIn(text)
    if (link && to?.some(each => each.address === address)) return link
  }
  throw new Error(`There is no mail to ${address}`)
}

describe('who waits', () => {
  it('is told that they wait, and nothing of who is inside', async () => {
    const { invitee, at } = await withLobby()
    await owner.post(at('/join'))
    const reply = await invitee.post(at('/join'))
    expect(reply.status).toBe(202)
    expect(Object.keys(reply.body)).toEqual(['participant'])
    expect(reply.body.participant).toMatchObject({ state: 'waiting', user_id: invitee.user.id })
    expect(told(await invitee.get(at('/participants')))).toEqual([403, 'not_inside'])
    expect(told(await invitee.get(at('/attendance')))).toEqual([403, 'hosts_only'])
  })

  it('without an invitation is not even told what the meeting is', async () => {
    const held = await makeMeeting()
    const guest = await world.make.guest(held)
    expect(told(await guest.get(held.at()))).toEqual([403, 'not_admitted'])
    expect(told(await guest.get(held.at('/participants')))).toEqual([403, 'not_admitted'])
    expect(told(await guest.post(held.at('/join')))).toEqual([202, 'waiting'])
  })

  it('asks again as the same person, since the same time', async () => {
    const { held, invitee, at } = await withLobby()
    const first = await invitee.post(at('/join'))
    world.clock.advance(10)
    expect((await invitee.post(at('/join'))).body).toEqual(first.body)
    expect(await listPeople(held, 'waiting')).toHaveLength(1)
    const knocks = await world.db('events').where({ meeting_id: held.meeting.id, type: 'participant.knocked' })
    expect(knocks).toHaveLength(1)
  })

  it('comes in once a host has let them in, and may come again without being asked', async () => {
    const { invitee, at, door } = await withLobby()
    const { participant } = (await invitee.post(at('/join'))).body
    expect((await owner.post(door(participant, 'admit'))).body.state).toBe('admitted')
    expect((await invitee.post(at('/join'))).status).toBe(201)
    await invitee.post(at('/leave'))
    expect((await invitee.post(at('/join'))).status).toBe(201)
  })

  it('waits before the host has come, too, and also once let in', async () => {
    const { invitee, at, door } = await withLobby({ scheduled_at: world.clock.in(3600) })
    const { participant, ...rest } = (await invitee.post(at('/join'))).body
    expect([participant.state, rest]).toEqual(['waiting', {}])
    await owner.post(door(participant, 'admit'))
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'admitted'])
    expect((await owner.get(at())).body.status).toBe('scheduled')
    expect((await owner.post(at('/join'))).status).toBe(201)
    expect((await invitee.post(at('/join'))).status).toBe(201)
  })

  it('has gone away when they have not asked for so long, unless they say that they are there', async () => {
    const { held, invitee, at } = await withLobby()
    const other = await world.make.guest(held)
    await invitee.post(at('/join'))
    world.clock.advance(40)
    expect((await other.post(at('/heartbeat'))).body).toMatchObject({ state: 'waiting', connection: null })
    world.clock.advance(10)
    await world.app.sweeper.tick()
    expect((await listPeople(held, 'waiting')).map(({ id }) => id)).toEqual([other.participant.id])
    expect((await listPeople(held, 'away')).map(({ user_id }) => user_id)).toContain(invitee.user.id)
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })

  it('is let in with all the others at once, each of them once', async () => {
    const { held, invitee, at } = await withLobby()
    const guests = [await world.make.guest(held), await world.make.guest(held)]
    await invitee.post(at('/join'))
    const replies = await Promise.all([owner.post(at('/lobby/admit-all')), owner.post(at('/lobby/admit-all'))])
    expect(replies.map(({ body }) => body.admitted).sort()).toEqual([0, 3])
    for (const person of [invitee, ...guests]) expect((await person.post(at('/join'))).status).toBe(201)
  })

  it('is no affair of a host of another meeting, or of another tenant', async () => {
    const held = await makeMeeting()
    const guest = await world.make.guest(held)
    const other = await world.make.meeting()
    const abroad = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const { id } = guest.participant
    expect((await other.owner.post(other.at(`/participants/${id}/admit`))).status).toBe(404)
    for (const stranger of [other.owner, abroad]) {
      expect((await stranger.post(held.at(`/participants/${id}/admit`))).status).toBe(404)
      expect((await stranger.post(held.at('/lobby/admit-all'))).status).toBe(404)
    }
    expect(await listPeople(held, 'waiting')).toHaveLength(1)
  })
})

describe('who waits for a meeting that is planned', () => {
  const planned = async () => {
    const lobby = await withLobby({ scheduled_at: world.clock.in(3600) })
    const reply = await lobby.invitee.post(lobby.at('/join'))
    expect(told(reply)).toEqual([202, 'waiting'])
    return { ...lobby, participant: reply.body.participant }
  }
  type Planned = Awaited<ReturnType<typeof planned>>

  const changes: [what: string, change: (lobby: Planned) => Promise<Reply>][] = [
    ['it moves', ({ at }) => owner.patch(at(), { scheduled_at: world.clock.in(7200) })],
    [
      'they propose another time',
      ({ invitee }) => invitee.post(`${invitee.invited}/propose`, { scheduled_at: world.clock.in(7200) }),
    ],
  ]

  it.each(changes)('leaves the lobby when %s, until they say again that they come', async (_what, change) => {
    const lobby = await planned()
    const { held, invitee, at, door, participant } = lobby
    expect((await change(lobby)).status).toBe(200)
    expect(await listPeople(held, 'waiting')).toEqual([])
    expect(await listPeople(held, 'away')).toContainEqual({ ...participant, state: 'away', waiting_since: null })
    expect(told(await owner.post(door(participant, 'admit')))).toEqual([409, 'not_waiting'])
    expect((await owner.post(at('/lobby/admit-all'))).body).toEqual({ admitted: 0 })
    expect(told(await invitee.post(at('/join')))).toEqual([403, 'not_accepted'])

    await invitee.post(`${invitee.invited}/accept`)
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
    expect((await owner.post(door(participant, 'admit'))).body.state).toBe('admitted')
  })

  it.each(changes)('and was let in is let in no more when %s', async (_what, change) => {
    const lobby = await planned()
    const { invitee, at, door, participant } = lobby
    await owner.post(door(participant, 'admit'))
    expect((await change(lobby)).status).toBe(200)
    await invitee.post(`${invitee.invited}/accept`)
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })
})

describe('a knock', () => {
  it('of whoever is in the meeting by their account is none: they are told who they are, and come in as that', async () => {
    const held = await makeMeeting({ guests: false })
    const invitee = await world.make.invitee(held, { user: visitor })
    for (const [person, role] of [
      [held.owner, 'host'],
      [invitee, 'participant'],
    ] as const) {
      const knocked = await person.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Whoever' })
      expect(knocked.status).toBe(202)
      expect(knocked.body).toMatchObject({ participant: { role, state: 'away' }, participant_token: null })
      expect((await person.post(held.at('/join'))).body.participant.id).toBe(knocked.body.participant.id)
    }
    expect(await listPeople(held, 'waiting')).toEqual([])
    const stranger = await world.make.user()
    expect((await stranger.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Whoever' })).status).toBe(403)
  })

  it('is refused where guests are not wanted, where it is locked, and where it is over', async () => {
    const held = await makeMeeting({ guests: false })
    const knock = () => world.anyone.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Eve' })
    expect(told(await knock())).toEqual([403, 'guests_refused'])
    await owner.patch(held.at(), { guests: true })
    await owner.post(held.at('/lock'))
    expect(told(await knock())).toEqual([409, 'meeting_locked'])
    await owner.post(held.at('/end'))
    expect(told(await knock())).toEqual([410, 'meeting_gone'])
    expect((await world.anyone.post('/api/join/nothing', { display_name: 'Eve' })).status).toBe(404)
  })

  it('at a webinar is that of a viewer', async () => {
    const held = await makeMeeting({ type: 'webinar' })
    const guest = await world.make.guest(held)
    expect(guest.participant.role).toBe('viewer')
    await owner.post(held.at('/lobby/admit-all'))
    const { role, permissions } = (await guest.post(held.at('/join'))).body
    expect([role, permissions.send]).toEqual(['viewer', false])
  })

  it('is refused when a hundred wait already', async () => {
    const held = await makeMeeting()
    const knock = () => world.anyone.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Eve' })
    const replies = await Promise.all(Array.from({ length: 104 }, knock))
    const refused = replies.filter(({ status }) => status !== 202)
    expect(refused.map(told)).toEqual(Array(4).fill([409, 'lobby_full']))
  })
})

describe('a join that is willing to wait', () => {
  it('is answered when a host lets them in', async () => {
    const { held, invitee, at, door } = await withLobby()
    const waiting = invitee.post(at('/join'), { wait: 25 })
    await owner.post(door(await firstToWait(held), 'admit'))
    const reply = await waiting
    expect(reply.status).toBe(201)
    expect(reply.body.participant.state).toBe('inside')
  })

  it('is answered when a host lets them in on another node', async () => {
    const { held, invitee, at, door } = await withLobby()
    const node = await world.startNode()
    const there = withToken(owner.tokens.access_token, node.anyone)
    const waiting = invitee.post(at('/join'), { wait: 25 })
    await there.post(door(await firstToWait(held), 'admit'))
    expect((await waiting).status).toBe(201)
  })

  it('brings nobody inside who has hung up, though a host lets them in at that moment on another node', async () => {
    const { held, invitee, at } = await withLobby()
    const { server, origin } = await world.startNode()
    let closed: Promise<unknown> = Promise.resolve()
    server.once('request', (_request: IncomingMessage, response: ServerResponse) => {
      closed = once(response, 'close')
    })
    const client = new AbortController()
    const request_id = 'the-one-who-hangs-up'
    const hungUp = fetch(origin + at('/join'), {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${invitee.tokens.access_token}`,
        'Content-Type': 'application/json',
        'X-Request-Id': request_id,
      },
      body: JSON.stringify({ wait: 25 }),
      signal: client.signal,
    }).catch(({ name }: Error) => name)
    const { id } = await firstToWait(held)

    // Let in by somebody whose bell does not ring on that node, and who commits after it has heard of the hanging up.
    await inTransaction(world.db, async db => {
      await db('meetings').where({ id: held.meeting.id }).forUpdate().first()
      await db('meeting_participants').where({ id }).update({ state: 'admitted', admitted: true })
      client.abort()
      await closed
    })
    expect(await hungUp).toBe('AbortError')
    const isOver = () => world.lines.some(line => line.includes(request_id) && line.includes('"request"'))
    while (!isOver()) await owner.get(at())
    expect((await listPeople(held, 'admitted')).map(person => person.id)).toEqual([id])
    expect((await owner.get(at('/attendance'))).body.data).toEqual([])
  })

  it('ends when a host turns them away', async () => {
    const { held, invitee, at, door } = await withLobby()
    const waiting = invitee.post(at('/join'), { wait: 25 })
    await owner.post(door(await firstToWait(held), 'deny'))
    expect(told(await waiting)).toEqual([403, 'denied'])
  })

  it('ends when a host bans them, and when the meeting ends', async () => {
    const { held, invitee, at, door } = await withLobby()
    const banned = invitee.post(at('/join'), { wait: 25 })
    await owner.post(door(await firstToWait(held), 'remove'), { ban: true })
    expect(told(await banned)).toEqual([403, 'banned'])

    const other = await world.make.invitee(held)
    const late = other.post(at('/join'), { wait: 25 })
    await firstToWait(held)
    await owner.post(at('/end'))
    expect(told(await late)).toEqual([409, 'meeting_over'])
  })
})

describe('who is turned away', () => {
  it('cannot ask again for a minute, whoever asks for them', async () => {
    const { invitee, at, door } = await withLobby()
    const { participant } = (await invitee.post(at('/join'))).body
    expect((await owner.post(door(participant, 'deny'))).status).toBe(200)
    expect((await owner.post(door(participant, 'deny'))).status).toBe(200)
    expect(told(await invitee.post(at('/join'), { display_name: 'Another' }))).toEqual([403, 'denied'])
    world.clock.advance(59)
    expect(told(await invitee.post(at('/join')))).toEqual([403, 'denied'])
    world.clock.advance(1)
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })

  it('is told when to ask again', async () => {
    const { invitee, at, door } = await withLobby()
    const { participant } = (await invitee.post(at('/join'))).body
    await owner.post(door(participant, 'deny'))
    world.clock.advance(20)
    expect((await invitee.post(at('/join'))).headers['retry-after']).toBe('40')
  })

  it('must have been waiting', async () => {
    const { invitee, at, door } = await withLobby()
    const { participant } = (await invitee.post(at('/join'))).body
    await owner.post(door(participant, 'admit'))
    await invitee.post(at('/join'))
    expect(told(await owner.post(door(participant, 'deny')))).toEqual([409, 'not_waiting'])
    await invitee.post(at('/leave'))
    expect(told(await owner.post(door(participant, 'admit')))).toEqual([409, 'not_waiting'])
  })
})

/** Somebody with an account, inside a meeting without a lobby. */
async function withSomebodyInside({ role, user = visitor }: { role?: string; user?: Person } = {}) {
  const held = await makeMeeting()
  const invitee = await world.make.invitee(held, { role, user })
  const { participant, connection } = (await invitee.post(held.at('/join'))).body
  const door = (verb: string, body?: object) => owner.post(held.at(`/participants/${participant.id}/${verb}`), body)
  const replaces = { connection: connection.id, resume_token: connection.resume_token }
  return { held, invitee, at: held.at, door, replaces }
}

describe('who was removed', () => {
  it('may knock again, and waits even where there is no lobby', async () => {
    const { invitee, at, door } = await withSomebodyInside()
    expect((await door('remove')).body.state).toBe('removed')
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
    await door('admit')
    expect((await invitee.post(at('/join'))).status).toBe(201)
  })

  it('is not let in for asking twice', async () => {
    const { invitee, at, door } = await withSomebodyInside()
    await door('remove')
    await invitee.post(at('/join'))
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })

  it('is not let in for leaving the lobby and coming again', async () => {
    const { invitee, at, door } = await withSomebodyInside()
    await door('remove')
    await invitee.post(at('/join'))
    await invitee.post(at('/leave'))
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })

  it('is not let in after a silence in the lobby', async () => {
    const { invitee, at, door } = await withSomebodyInside()
    await door('remove')
    await invitee.post(at('/join'))
    world.clock.advance(60)
    await world.app.sweeper.tick()
    expect(told(await invitee.post(at('/join')))).toEqual([202, 'waiting'])
  })

  it('is not let in for a connection that they had before', async () => {
    const { invitee, at, door, replaces } = await withSomebodyInside()
    expect((await invitee.post(at('/join'), { replaces })).status).toBe(201)
    await door('remove')
    expect(told(await invitee.post(at('/join'), { replaces }))).toEqual([202, 'waiting'])
  })

  it('as a co-host does not let themselves in, or end the meeting', async () => {
    const { invitee, at, door } = await withSomebodyInside({ role: 'co_host' })
    const { id } = (await door('remove')).body
    expect(told(await invitee.post(at('/end')))).toEqual([403, 'hosts_only'])
    await invitee.post(at('/join'))
    expect(told(await invitee.post(at(`/participants/${id}/admit`)))).toEqual([403, 'hosts_only'])
    expect(told(await invitee.post(at('/end')))).toEqual([403, 'hosts_only'])
    expect((await owner.get(at())).body.status).toBe('live')
  })
})

describe('a ban', () => {
  it('holds with a new login, another device, another name, and the link of the mail', async () => {
    const { invitee, at, door } = await withSomebodyInside({ user: await world.make.user() })
    expect((await door('remove', { ban: true })).body.state).toBe('banned')
    const { body } = await world.anyone.post('/api/auth/login', { email: invitee.user.email, password: PASSWORD })
    for (const again of [invitee, world.make.caller(body)]) {
      expect(told(await again.post(at('/join')))).toEqual([403, 'banned'])
      const disguise = { display_name: 'Somebody else', device: 'Telephone', medium: 'phone' }
      expect(told(await again.post(at('/join'), disguise))).toEqual([403, 'banned'])
      expect(told(await again.post(`${invitee.invited}/accept`))).toEqual([403, 'banned'])
      expect(told(await again.post(at('/join')))).toEqual([403, 'banned'])
    }
    const link = await mailedLink(invitee.user.email)
    expect(told(await world.anyone.post(`${link}/accept`))).toEqual([403, 'banned'])
  })

  it('holds for a guest of the link, with the old token and for a new one', async () => {
    const { at } = await makeMeeting()
    await owner.post(at('/invitations'), { invitees: [{ email: 'guest@example.com' }] })
    const link = await mailedLink('guest@example.com')
    const accepted = await world.anyone.post(`${link}/accept`, { display_name: 'Guest' })
    const guest = withToken(accepted.body.participant_token)
    const { participant } = (await guest.post(at('/join'))).body
    await owner.post(at(`/participants/${participant.id}/remove`), { ban: true })

    expect(told(await guest.post(at('/join')))).toEqual([403, 'banned'])
    expect(told(await world.anyone.post(`${link}/accept`, { display_name: 'Another' }))).toEqual([403, 'banned'])
    expect((await guest.get(at('/participants'))).status).toBe(403)
    const newcomer = await world.make.user({ email: 'guest@example.com' })
    expect(told(await newcomer.post(at('/join')))).toEqual([403, 'banned'])
  })

  it('holds when they are invited once more, and after the session', async () => {
    const held = await makeMeeting({ kind: 'standing' })
    const invitee = await world.make.invitee(held, { user: visitor })
    const { participant } = (await invitee.post(held.at('/join'))).body
    await owner.post(held.at(`/participants/${participant.id}/remove`), { ban: true })
    await world.make.invitee(held, { user: invitee })
    expect(told(await invitee.post(held.at('/join')))).toEqual([403, 'banned'])
    await owner.post(held.at('/end'))
    await owner.post(held.at('/start'))
    expect(told(await invitee.post(held.at('/join')))).toEqual([403, 'banned'])
  })

  it('is not weakened by a removal, and is over when it is lifted', async () => {
    const { invitee, at, door } = await withSomebodyInside()
    await door('remove', { ban: true })
    expect((await door('remove')).body.state).toBe('banned')
    expect((await door('unban')).body.state).toBe('away')
    expect((await door('unban')).body.state).toBe('away')
    expect((await invitee.post(at('/join'))).status).toBe(201)
  })
})
