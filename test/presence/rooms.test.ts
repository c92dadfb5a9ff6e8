import { describe, expect, it } from 'vitest'
import type { Client } from '../support/client.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()

const enter = (room: string, display_name = 'Ada', client: Client = world.anyone) =>
  client.post(`/api/rooms/${room}/enter`, { display_name })
const withToken = (token: string) => world.anyone.with({ headers: { Authorization: `Bearer ${token}` } })

/** Comes in without an account, and can go on as that person. */
async function comeIn(room: string, display_name?: string) {
  const { status, body } = await enter(room, display_name)
  expect(status).toBe(201)
  const at = (path = '') => `/api/meetings/${body.session.meeting_id}${path}`
  return { ...withToken(body.participant_token), ...body, at }
}

/** Nobody is heard of, and nobody comes: the session is over. */
async function becomeEmpty(): Promise<void> {
  for (const seconds of [60, 360]) {
    world.clock.advance(seconds)
    await world.app.sweeper.tick()
  }
}

describe('a quick room', () => {
  it('is there when somebody enters it, and its first comer is the host', async () => {
    const first = await comeIn('tea', 'Ada')
    expect([first.role, first.participant.display_name, first.roster]).toEqual(['host', 'Ada', []])
    const second = await comeIn('tea', 'Grace')
    expect(second.role).toBe('participant')
    expect(second.session.id).toBe(first.session.id)
    expect(second.roster).toMatchObject([{ display_name: 'Ada', role: 'host', connection: first.connection.id }])
    expect((await first.post(first.at('/lock'))).status).toBe(200)
    expect((await second.post(first.at('/unlock'))).body.code).toBe('hosts_only')
  })

  it('entered by twenty at once is one room with one host', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => enter('crowd', `Person ${i}`)))
    const inside = replies.filter(({ status }) => status === 201)
    expect(inside).toHaveLength(8)
    const refused = replies.filter(({ status }) => status !== 201)
    for (const { status, body } of refused) expect([status, body.code]).toEqual([409, 'needs_media_provider'])
    expect(inside.filter(({ body }) => body.role === 'host')).toHaveLength(1)
    expect(new Set(inside.map(({ body }) => body.session.id)).size).toBe(1)

    const rooms = await world.db('meetings').where({ room_name: 'crowd' })
    expect(rooms).toHaveLength(1)
    const people = await world.db('meeting_participants').where({ meeting_id: rooms[0].id })
    expect(people.filter(({ role }) => role === 'host')).toHaveLength(1)
    expect(people).toHaveLength(8)
  })

  it('knows who comes again with the token, as the same person', async () => {
    const first = await comeIn('again')
    const second = await comeIn('again', 'Grace')
    for (const person of [first, second]) {
      await person.post(person.at('/leave'))
      const { status, body } = await enter('again', 'Another name', person)
      expect(status).toBe(201)
      expect(body.participant.id).toBe(person.participant.id)
      expect(body.role).toBe(person.role)
    }
    const { body } = await first.get(first.at('/participants'))
    expect(body.data).toHaveLength(2)
  })

  it('knows somebody with an account for who they are, and needs no other token of them', async () => {
    const person = await world.make.user({ name: 'Katherine' })
    const first = (await enter('account', 'Whatever', person)).body
    expect(first.participant_token).toBe(null)
    expect(first.participant.user_id).toBe(person.user.id)
    const again = (await enter('account', 'Whatever', person)).body
    expect(again.participant.id).toBe(first.participant.id)
  })

  it('whose session is over has the next comer as its host, and the host of before as anybody', async () => {
    const first = await comeIn('evening')
    await becomeEmpty()
    const next = await comeIn('evening', 'Grace')
    expect(next.role).toBe('host')
    expect(next.session.id).not.toBe(first.session.id)
    const back = await enter('evening', 'Ada', first)
    expect([back.status, back.body.role]).toEqual([201, 'participant'])
  })

  it('has the co-host of before as anybody, when somebody else comes into it empty', async () => {
    const first = await comeIn('board')
    const second = await comeIn('board', 'Grace')
    await first.post(first.at(`/participants/${second.participant.id}/role`), { role: 'co_host' })
    await becomeEmpty()
    expect((await comeIn('board', 'Katherine')).role).toBe('host')
    const back = await enter('board', 'Grace', second)
    expect([back.status, back.body.role]).toEqual([201, 'participant'])
    expect((await second.post(first.at('/lock'))).body.code).toBe('hosts_only')
  })

  it('is as open to who has been invited to it as to anybody', async () => {
    const [host, member, newcomer] = [await world.make.user(), await world.make.user(), await world.make.user()]
    const { session } = (await enter('club', 'Somebody', host)).body
    const known = (await enter('club', 'Somebody', member)).body
    const invitees = [member, newcomer].map(({ user }) => ({ user_id: user.id }))
    expect((await host.post(`/api/meetings/${session.meeting_id}/invitations`, { invitees })).status).toBe(201)
    await member.post(`/api/meetings/${session.meeting_id}/leave`)
    const again = await enter('club', 'Somebody', member)
    expect([again.status, again.body.participant?.id]).toEqual([201, known.participant.id])
    expect((await enter('club', 'Somebody', newcomer)).status).toBe(201)
  })

  it('has as its host who once knocked at its door, when it is empty', async () => {
    const { body } = await world.anyone.post('/api/rooms/knocked/enter', { display_name: 'Ada' })
    const token = (participant_token: string) =>
      world.anyone.with({ headers: { Authorization: `Bearer ${participant_token}` } })
    const { meeting_id } = body.session
    const { join_code } = (await token(body.participant_token).get(`/api/meetings/${meeting_id}`)).body
    const guest = (await world.anyone.post(`/api/join/${join_code}`, { display_name: 'Grace' })).body
    await token(body.participant_token).post(`/api/meetings/${meeting_id}/leave`)
    const entered = await token(guest.participant_token).post('/api/rooms/knocked/enter', { display_name: 'Grace' })
    expect([entered.status, entered.body.role]).toEqual([201, 'host'])
  })

  it('does not take back who was withdrawn from it, though they would be its first', async () => {
    const [host, member] = [await world.make.user(), await world.make.user()]
    const enter = (person: typeof host) => person.post('/api/rooms/withdrawn/enter', { display_name: 'Somebody' })
    const { meeting_id } = (await enter(host)).body.session
    const invitees = [{ user_id: member.user.id }]
    const [invitation] = (await host.post(`/api/meetings/${meeting_id}/invitations`, { invitees })).body.data
    await host.delete(`/api/invitations/${invitation.id}`)
    await host.post(`/api/meetings/${meeting_id}/leave`)
    expect((await enter(member)).status).toBe(404)
    expect((await enter(host)).body.role).toBe('host')
  })

  it('that everybody has left has the next comer as its host, at once', async () => {
    const first = await comeIn('empty')
    const second = await comeIn('empty', 'Grace')
    await first.post(first.at('/leave'))
    await second.post(second.at('/leave'))
    const next = await comeIn('empty', 'Katherine')
    expect(next.role).toBe('host')
  })

  it('is refused to who was banned from it, also when they would be its first', async () => {
    const first = await comeIn('strict')
    const second = await comeIn('strict', 'Eve')
    await first.post(first.at(`/participants/${second.participant.id}/remove`), { ban: true })
    expect((await enter('strict', 'Eve', second)).body.code).toBe('banned')
    await becomeEmpty()
    expect((await enter('strict', 'Eve', second)).body.code).toBe('banned')
    expect((await comeIn('strict')).role).toBe('host')
  })

  it('is one room, however its name is written, and another in another tenant', async () => {
    const here = await comeIn('Kitchen')
    expect((await comeIn('kitchen')).session.id).toBe(here.session.id)
    const abroad = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const there = (await enter('kitchen', 'Ada', abroad)).body
    expect(there.role).toBe('host')
    expect(there.session.meeting_id).not.toBe(here.session.meeting_id)
  })

  it('has a name that fits into an address', async () => {
    for (const name of ['a%20b', '-tea', 'tea%2Ftime', 'x'.repeat(64)]) expect((await enter(name)).status).toBe(422)
    expect((await world.anyone.post('/api/rooms/tea/enter', {})).status).toBe(422)
  })

  it('is not there where the operator does not want it', async () => {
    const closed = await createWorld({ QUICK_ROOMS: 'off' })
    expect((await enter('tea', 'Ada', closed.anyone)).status).toBe(404)
    expect(await closed.db('meetings')).toHaveLength(0)
  })
})

describe('what nobody needs any more', async () => {
  /** Of its own, for its clock is turned far ahead; a session stays live for a day after the last has left it. */
  const patient = await createWorld({ EMPTY_TIMEOUT_S: '86400' })
  const day_s = 24 * 3600
  const names = async () => (await patient.db('meetings').whereNotNull('room_name').pluck('room_name')).sort()

  async function comeInto(room: string) {
    const { status, body } = await enter(room, 'Ada', patient.anyone)
    expect(status).toBe(201)
    const person = patient.anyone.with({ headers: { Authorization: `Bearer ${body.participant_token}` } })
    return { ...body, end: () => person.post(`/api/meetings/${body.session.meeting_id}/end`) }
  }

  it('is a quick room that was not used for thirty days, and no other', async () => {
    const unused = await comeInto('unused')
    for (const { end } of [unused, await comeInto('used')]) expect((await end()).body.status).toBe('scheduled')
    await comeInto('live')
    const planned = await patient.make.meeting({ kind: 'standing', scheduled_at: patient.clock.in(3600) })
    patient.clock.advance(20 * day_s)
    expect((await (await comeInto('used')).end()).status).toBe(200)
    patient.clock.advance(10 * day_s - 60)
    await patient.app.sweeper.tick()
    expect(await names()).toEqual(['live', 'unused', 'used'])

    patient.clock.advance(3600)
    await patient.app.sweeper.tick()
    expect(await names()).toEqual(['live', 'used'])
    expect(await patient.db('meetings').where({ id: planned.meeting.id })).toHaveLength(1)
    const { meeting_id } = unused.session
    expect(await patient.db('meeting_participants').where({ meeting_id })).toEqual([])
    const told = await patient.db('events').where({ meeting_id, type: 'meeting.deleted' })
    expect(told).toMatchObject([{ actor_kind: 'system' }])

    const anew = await comeInto('unused')
    expect(anew.role).toBe('host')
    expect(anew.session.meeting_id).not.toBe(meeting_id)
  })

  it('is a connection that was closed for thirty days; how long somebody was there stays', async () => {
    const { meeting, owner, at } = await patient.make.meeting({ kind: 'standing' })
    const visit = async () => {
      const { id } = (await owner.post(at('/join'))).body.connection
      await owner.post(at('/leave'))
      return id
    }
    const first = await visit()
    patient.clock.advance(600)
    const second = await visit()
    const connections = () => patient.db('rtc_connections').where({ meeting_id: meeting.id }).orderBy('id').pluck('id')
    patient.clock.advance(30 * day_s - 600)
    await patient.app.sweeper.tick()
    expect(await connections()).toEqual([first, second])
    patient.clock.advance(600)
    await patient.app.sweeper.tick()
    expect(await connections()).toEqual([second])
    patient.clock.advance(600)
    await patient.app.sweeper.tick()
    expect(await connections()).toEqual([])
    expect(await patient.db('attendances').where({ meeting_id: meeting.id })).toHaveLength(2)
  })
})
