import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { comeIn, newRoom } from '../signaling/room.ts'
import { createWorld, PASSWORD, type Person } from '../support/world.ts'
import { begin, fetchAs, liveMeeting, put, recorded, upload } from './recorded.ts'

const world = await createWorld()
const settle = async () => {
  await world.app.sweeper.tick()
  await world.app.recordings.settled()
}

/** With a new login, for tokens do not last that long. */
async function again({ user }: Person): Promise<Person> {
  const from = { network: 'test', user_agent: 'test' }
  return world.make.caller(
    await world.app.accounts.logIn(DEFAULT_TENANT, { email: user.email, password: PASSWORD }, from),
  )
}

describe('A mocked recording', () => {
  it('is a text that says who was there when it began, who came later, and that it is mocked', async () => {
    const held = await liveMeeting(world, { title: 'Planning' })
    const id = await begin(held)
    world.clock.advance(60)
    const late = await world.make.invitee(held, { user: await world.make.user({ name: 'Late Comer' }) })
    await late.post(held.at('/join'))
    world.clock.advance(60)
    const { body } = await held.owner.post(`/api/recordings/${id}/stop`)
    expect(body).toMatchObject({ status: 'ready', mocked: true, content_type: 'text/plain', duration_s: null })
    expect(body.participants.map((each: { display_name: string }) => each.display_name).sort()).toEqual(
      [held.owner.user.name, held.guest.user.name].sort(),
    )
    const { bytes, headers } = await fetchAs(world, held.owner, `/api/recordings/${id}/download`)
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const [before, after] = bytes.toString().split('Came later:')
    expect(before).toContain('MOCKED')
    expect(before).toContain('Planning')
    for (const { user } of [held.owner, held.guest]) expect(before).toContain(user.name)
    expect(before).not.toContain('Late Comer')
    expect(after).toContain('Late Comer')
  })

  it('is one, of twenty that are begun at once', async () => {
    const held = await liveMeeting(world)
    const replies = await Promise.all(Array.from({ length: 20 }, () => held.owner.post(held.at('/recordings'))))
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
    const refused = replies.filter(({ status }) => status === 409)
    expect(refused.map(({ body }) => body.code)).toEqual(Array(19).fill('recording_active'))
    const { data } = (await held.owner.get(held.at('/recordings'))).body
    expect(data).toHaveLength(1)
    await held.owner.post(`/api/recordings/${data[0].id}/stop`)
    await begin(held)
  })

  it('is stopped once, by many who stop it at once', async () => {
    const held = await liveMeeting(world)
    const id = await begin(held)
    const replies = await Promise.all(Array.from({ length: 10 }, () => held.owner.post(`/api/recordings/${id}/stop`)))
    expect(replies.map(({ body }) => body.status)).toEqual(Array(10).fill('ready'))
    const events = await world.db('events').where({ meeting_id: held.meeting.id, type: 'recording.ready' })
    expect(events).toHaveLength(1)
  })

  it('needs a live meeting that may be recorded', async () => {
    const planned = await world.make.meeting({ scheduled_at: world.clock.in(86_400) })
    expect((await planned.owner.post(planned.at('/recordings'))).body.code).toBe('not_live')
    const private_ = await liveMeeting(world, { recording: 'off' })
    expect((await private_.owner.post(private_.at('/recordings'))).body.code).toBe('recording_off')
  })

  it('begins by itself with the first host where the meeting has it so, once a session', async () => {
    const held = await liveMeeting(world, { recording: 'auto' })
    const { data } = (await held.owner.get(held.at('/recordings'))).body
    expect(data).toMatchObject([{ status: 'active', mocked: true }])
    await held.owner.post(`/api/recordings/${data[0].id}/stop`)
    await held.owner.post(held.at('/join'), { device: 'another' })
    expect((await held.owner.get(held.at('/recordings'))).body.data).toHaveLength(1)
  })

  it('ends with the meeting', async () => {
    const held = await liveMeeting(world)
    const id = await begin(held)
    expect((await held.owner.post(held.at('/end'))).status).toBe(200)
    await world.app.recordings.settled()
    expect((await held.owner.get(`/api/recordings/${id}`)).body).toMatchObject({
      status: 'ready',
      ended_at: world.clock.now(),
    })
  })
})

describe('Who is inside', () => {
  it('is told that it begins and ends, and so is who comes later; and that is kept', async () => {
    const room = newRoom()
    const ada = await comeIn(world, room, 'Ada')
    const bob = await comeIn(world, room, 'Bob')
    await bob.drain()
    const started = await ada.call('POST', ada.at('/recordings'), {})
    expect(started.status, JSON.stringify(started.body)).toBe(201)
    const { id } = started.body
    const carl = await comeIn(world, room, 'Carl')
    await ada.call('POST', `/api/recordings/${id}/stop`, {})

    const told = async (who: typeof ada) =>
      (await who.readAll()).filter(({ type }) => type === 'recording').map(({ payload }) => payload)
    const both = [
      { recording_id: id, state: 'started', source: 'mock' },
      { recording_id: id, state: 'stopped', source: 'mock' },
    ]
    for (const who of [ada, bob, carl]) expect(await told(who)).toEqual(both)

    const rows = await world.db('events').where({ meeting_id: ada.session.meeting_id }).orderBy('id')
    const data = rows
      .filter(({ type }) => type.startsWith('recording.'))
      .map(({ type, data }) => [type, JSON.parse(data)])
    expect(data.find(([type]) => type === 'recording.started')?.[1].told.sort()).toEqual(
      [ada.participant.id, bob.participant.id].sort(),
    )
    expect(data.find(([type]) => type === 'recording.told')?.[1].participant_id).toBe(carl.participant.id)
  })
})

describe('Who is inside, too,', () => {
  const toldOf = async (who: Pick<Awaited<ReturnType<typeof comeIn>>, 'readAll'>) =>
    (await who.readAll()).filter(({ type }) => type === 'recording').map(({ payload }) => payload.state)

  it('is told that it has stopped when it is deleted while it runs', async () => {
    const room = newRoom()
    const ada = await comeIn(world, room, 'Ada')
    const bob = await comeIn(world, room, 'Bob')
    const { id } = (await ada.call('POST', ada.at('/recordings'), {})).body
    expect((await ada.call('DELETE', `/api/recordings/${id}`)).status).toBe(204)
    for (const who of [ada, bob]) expect(await toldOf(who)).toEqual(['started', 'stopped'])
  })

  it('is told nothing about what was recorded of the session before', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    await put(held.owner, id, 0, Buffer.from('all of it'))
    await held.owner.post(held.at('/end'))
    const { connection } = (await held.owner.post(held.at('/join'), {})).body
    expect((await held.owner.post(`/api/recordings/${id}/stop`)).body.status).toBe('ready')
    const { signals } = (await held.owner.get(`/api/rtc/inbox?connection=${connection.id}&after=0`)).body
    expect(signals.map(({ type }: { type: string }) => type)).not.toContain('recording')
  })
})

describe('An upload whose session has ended', () => {
  it('has ten minutes for the rest, and may then be stopped', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    await put(held.owner, id, 0, Buffer.from('first '))
    await held.owner.post(held.at('/end'))
    world.clock.advance(9 * 60)
    await settle()
    expect((await put(held.owner, id, 1, Buffer.from('second'))).status).toBe(204)
    expect((await held.owner.post(`/api/recordings/${id}/stop`)).body).toMatchObject({ status: 'ready', bytes: 12 })
  })

  it('is settled after them: what has come without a hole is kept', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    for (const n of [0, 1, 3]) await put(held.owner, id, n, Buffer.from(`part ${n} `))
    await held.owner.post(held.at('/end'))
    world.clock.advance(601)
    await settle()
    const owner = await again(held.owner)
    expect((await owner.get(`/api/recordings/${id}`)).body.status).toBe('ready')
    expect((await fetchAs(world, owner, `/api/recordings/${id}/download`)).bytes.toString()).toBe('part 0 part 1 ')
    expect((await put(owner, id, 2, Buffer.from('late'))).body.code).toBe('recording_over')
  })

  it('has failed if nothing came, and leaves no file', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    await held.owner.post(held.at('/end'))
    world.clock.advance(601)
    await settle()
    const { body } = await (await again(held.owner)).get(`/api/recordings/${id}`)
    expect(body).toMatchObject({ status: 'failed', failure: 'nothing_came' })
    expect(readdirSync(join(world.storage_dir, 'recordings'))).not.toContain(id)
  })
})

describe('A recording that a process was making when it died', () => {
  it('is made by whoever looks after its time', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    await put(held.owner, id, 0, Buffer.from('all of it'))
    // As that process left it: stopped, and nothing more.
    const left = { status: 'processing', active_session_id: null, due_at: world.clock.in(60) }
    await inTransaction(world.db, db => db('recordings').where({ id }).update(left))
    await settle()
    expect((await held.owner.get(`/api/recordings/${id}`)).body.status).toBe('processing')
    world.clock.advance(61)
    await settle()
    expect((await held.owner.get(`/api/recordings/${id}`)).body).toMatchObject({ status: 'ready', bytes: 9 })
  })

  it('has failed when its parts are not there any more', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    await put(held.owner, id, 0, Buffer.from('all of it'))
    rmSync(join(world.storage_dir, 'recordings', id), { recursive: true })
    const { body } = await held.owner.post(`/api/recordings/${id}/stop`)
    expect(body).toMatchObject({ status: 'failed', failure: 'chunks_lost', bytes: 0 })
  })
})

describe('Who may see it', () => {
  it('is hosts; and who was there, once it is shared with them', async () => {
    const held = await liveMeeting(world)
    const absent = await world.make.invitee(held)
    const { id } = await recorded(held)
    const path = `/api/recordings/${id}`
    const statuses = async () =>
      Promise.all(
        [held.owner, held.guest, absent].map(async who => (await fetchAs(world, who, `${path}/download`)).status),
      )
    expect(await statuses()).toEqual([200, 404, 404])
    expect((await held.guest.get(held.at('/recordings'))).body.data).toEqual([])

    expect((await held.owner.patch(path, { visibility: 'participants' })).body.visibility).toBe('participants')
    expect(await statuses()).toEqual([200, 200, 404])
    expect((await held.guest.get(held.at('/recordings'))).body.data).toHaveLength(1)
    expect((await absent.get(held.at('/recordings'))).body.data).toEqual([])

    const people = (await held.owner.get(held.at('/participants'))).body.data
    const { id: guest } = people.find(({ user_id }: { user_id: string }) => user_id === held.guest.user.id)
    await held.owner.post(held.at(`/participants/${guest}/remove`))
    expect(await statuses()).toEqual([200, 404, 404])
  })

  it('is nobody once it is deleted, and its files are gone', async () => {
    const held = await liveMeeting(world)
    const { id } = await recorded(held)
    expect((await held.owner.delete(`/api/recordings/${id}`)).status).toBe(204)
    expect((await held.owner.get(`/api/recordings/${id}`)).status).toBe(404)
    expect(readdirSync(join(world.storage_dir, 'recordings'))).not.toContain(id)
  })

  it('is nobody once the meeting is deleted', async () => {
    const held = await liveMeeting(world)
    const { id } = await recorded(held)
    await begin(held)
    expect((await held.owner.delete(held.at())).status).toBe(204)
    await world.app.recordings.settled()
    await expect.poll(() => readdirSync(join(world.storage_dir, 'recordings'))).not.toContain(id)
    expect(await world.db('recordings').where({ meeting_id: held.meeting.id })).toEqual([])
  })
})

describe('Old recordings', () => {
  it('go after as many days as the operator says, and no sooner', async () => {
    const tidy = await createWorld({ RECORDINGS_KEPT_DAYS: '30' })
    const held = await liveMeeting(tidy)
    const { id } = await recorded(held)
    tidy.clock.advance(29 * 24 * 3600)
    await tidy.app.sweeper.tick()
    expect(await tidy.db('recordings').where({ id })).toHaveLength(1)
    tidy.clock.advance(2 * 24 * 3600)
    await tidy.app.sweeper.tick()
    expect(await tidy.db('recordings').where({ id })).toEqual([])
    expect(readdirSync(join(tidy.storage_dir, 'recordings'))).toEqual([])
  })
})
