import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createDrain, createHttpServer, listen } from '../../src/http/server.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createMetrics } from '../../src/kernel/metrics.ts'
import { createWakeups } from '../../src/wakeups/local.ts'
import { whenDone } from '../support/cleanup.ts'
import { type Client, createClient } from '../support/client.ts'
import { testClock } from '../support/clock.ts'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'
import { createWorld, type Held, PASSWORD, TEST_SECRET } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()

/** A meeting, and a guest of it who was let in. */
async function visited() {
  const held = await world.make.meeting({}, owner)
  const guest = await world.make.guest(held)
  await owner.post(held.at('/lobby/admit-all'))
  return { ...held, guest }
}

const spansOf = ({ meeting }: Held) => world.db('attendances').where({ meeting_id: meeting.id }).orderBy('id')

describe('coming again', () => {
  it('begins another span, and leaves the first as it was; their minutes add up', async () => {
    const held = await visited()
    const { guest, at } = held
    await guest.post(at('/join'), { device: 'Telephone', medium: 'audio' })
    world.clock.advance(120)
    expect((await guest.post(at('/leave'))).body.attendance).toMatchObject({ minutes: 2, end_reason: 'left' })
    const [first] = await spansOf(held)

    world.clock.advance(60)
    expect((await guest.post(at('/join'), { display_name: 'Another name' })).status).toBe(201)
    world.clock.advance(90)
    await guest.post(at('/leave'))
    const spans = await spansOf(held)
    expect(spans).toHaveLength(2)
    expect(spans[0]).toEqual(first)
    const { body } = await owner.get(at('/attendance'))
    expect(body.data.map(({ minutes }: { minutes: number }) => minutes)).toEqual([2, 1.5])
  })

  it('in place of a connection that is open ends its span, and begins another at the same moment', async () => {
    const held = await visited()
    const { guest, at } = held
    const { id, resume_token } = (await guest.post(at('/join'))).body.connection
    world.clock.advance(30)
    await guest.post(at('/join'), { replaces: { connection: id, resume_token } })
    const [first, second] = await spansOf(held)
    expect(first).toMatchObject({ end_reason: 'replaced', left_at: second.joined_at })
    expect(second.left_at).toBe(null)
  })

  it('shows how long it has lasted so far', async () => {
    const { guest, at } = await visited()
    await guest.post(at('/join'))
    world.clock.advance(45)
    expect((await owner.get(at('/attendance'))).body.data).toMatchObject([{ minutes: 0.75, left_at: null }])
  })

  it('in place of a connection is only for who has its token', async () => {
    const { guest, at } = await visited()
    const { id } = (await guest.post(at('/join'))).body.connection
    const reply = await guest.post(at('/join'), { replaces: { connection: id, resume_token: 'another' } })
    expect(reply.status).toBe(404)
    expect((await guest.post(at('/heartbeat'), { connection: id })).status).toBe(200)
  })
})

describe('leaving', () => {
  it('twice changes nothing', async () => {
    const held = await visited()
    const { guest, at } = held
    await guest.post(at('/join'))
    world.clock.advance(10)
    const first = await guest.post(at('/leave'))
    const before = await spansOf(held)
    world.clock.advance(10)
    const second = await guest.post(at('/leave'))
    expect([second.status, second.body]).toEqual([200, first.body])
    expect(await spansOf(held)).toEqual(before)
    const told = await world.db('events').where({ meeting_id: held.meeting.id, type: 'participant.left' })
    expect(told).toHaveLength(1)
  })

  it('what one was never in is a conflict', async () => {
    const { at } = await world.make.meeting({}, owner)
    const reply = await owner.post(at('/leave'))
    expect([reply.status, reply.body.code]).toEqual([409, 'not_joined'])
  })

  it('the lobby is what one does who waits', async () => {
    const { meeting, at } = await world.make.meeting({}, owner)
    const guest = await world.make.guest({ meeting })
    expect((await guest.post(at('/leave'))).body).toEqual({ attendance: null })
    expect((await owner.get(at('/participants?state=waiting'))).body.data).toEqual([])
  })
})

/** A process of its own, on a database that outlives it. */
async function startProcess() {
  const { url, settings, drop } = await emptyDatabase()
  whenDone(drop)
  const port = await freePort()
  const env = { DATABASE_URL: url, PORT: String(port), JWT_SECRET: TEST_SECRET, DEMO: 'off' }
  const server = startServer(emptyFolder(), env)
  await server.prints('is listening')
  const origin = `http://127.0.0.1:${port}`
  const document = JSON.parse(await (await fetch(`${origin}/openapi.json`)).text())
  return { server, settings, anyone: createClient({ origin, document }) }
}

/** What a process has left behind, as the next one finds it: with a clock that can be moved. */
async function takeOver(settings: Awaited<ReturnType<typeof startProcess>>['settings']) {
  const database = await openDatabase(settings)
  const { db } = database
  const clock = testClock()
  const app = createApp({
    config: readConfig({ NODE_ENV: 'test', STORAGE_DIR: emptyFolder() }),
    key: createSecretKey(Buffer.from(TEST_SECRET)),
    db,
    clock,
    log: createLog('silent'),
    metrics: createMetrics(),
    wakeups: createWakeups(),
    version: '0.0.0',
  })
  const server = createHttpServer(app.handler)
  const drain = createDrain(server)
  const { port } = await listen(server, 0, '127.0.0.1')
  whenDone(async () => {
    await drain(0)
    await database.close()
  })
  const anyone = createClient({ origin: `http://127.0.0.1:${port}`, document: app.document() })
  const pass = async (seconds: number) => {
    clock.advance(seconds)
    await app.sweeper.tick()
  }
  return { db, anyone, pass }
}

const withToken = (client: Client, token: string) => client.with({ headers: { Authorization: `Bearer ${token}` } })

/** A host and a guest, both inside a meeting of that process. */
async function peopleInside(anyone: Client) {
  const account = { email: 'host@example.com', name: 'Host', password: PASSWORD }
  const { access_token } = (await anyone.post('/api/auth/register', account)).body
  const host = withToken(anyone, access_token)
  const { id, join_code } = (await host.post('/api/meetings', { title: 'A meeting' })).body
  const at = (path = '') => `/api/meetings/${id}${path}`
  const { participant_token } = (await anyone.post(`/api/join/${join_code}`, { display_name: 'Guest' })).body
  const guest = withToken(anyone, participant_token)
  await host.post(at('/lobby/admit-all'))
  expect((await host.post(at('/join'))).status).toBe(201)
  const { connection } = (await guest.post(at('/join'))).body
  expect((await guest.post(at('/heartbeat'))).status).toBe(200)
  return { id, at, access_token, participant_token, connection }
}

describe('a process that is killed with people inside', () => {
  it('leaves them inside; who is not heard of then has left when last heard of, and the empty session ends', async () => {
    const { server, settings, anyone } = await startProcess()
    const { id, at, access_token } = await peopleInside(anyone)
    server.child.kill('SIGKILL')
    expect((await server.ended).signal).toBe('SIGKILL')

    const next = await takeOver(settings)
    const host = withToken(next.anyone, access_token)
    const inside = async () => (await host.get(at('/participants?state=inside'))).body.data
    const session = () => next.db('meeting_sessions').where({ meeting_id: id }).first()
    await next.pass(0)
    expect(await inside()).toHaveLength(2)
    expect((await host.get(at())).body.status).toBe('live')
    const connections = await next.db('rtc_connections').where({ meeting_id: id }).orderBy('id')
    expect(connections.map(({ closed_at }) => closed_at)).toEqual([null, null])

    await next.pass(60)
    expect(await inside()).toEqual([])
    const spans = await next.db('attendances').where({ meeting_id: id }).orderBy('id')
    const whenHeard = connections.map(({ last_seen_at }) => ({ end_reason: 'timeout', left_at: last_seen_at }))
    expect(spans).toMatchObject(whenHeard)
    expect(await session()).toMatchObject({ ended_at: null })

    await next.pass(299)
    expect(await session()).toMatchObject({ ended_at: null })
    await next.pass(5)
    expect(await session()).toMatchObject({ end_reason: 'empty', live_meeting_id: null })
    expect((await host.get(at())).body.status).toBe('ended')
  })

  it('loses nobody who is heard of in time, or who comes back with their connection', async () => {
    const { server, settings, anyone } = await startProcess()
    const { at, access_token, participant_token, connection } = await peopleInside(anyone)
    server.child.kill('SIGKILL')
    await server.ended

    const next = await takeOver(settings)
    const [host, guest] = [access_token, participant_token].map(token => withToken(next.anyone, token))
    await next.pass(40)
    expect((await host?.post(at('/heartbeat')))?.status).toBe(200)
    await next.pass(40)
    const replaces = { connection: connection.id, resume_token: connection.resume_token }
    const back = await guest?.post(at('/join'), { replaces })
    expect(back?.status).toBe(201)
    expect(back?.body.roster).toMatchObject([{ display_name: 'Host' }])
    expect((await host?.get(at('/participants?state=inside')))?.body.data).toHaveLength(2)
  })
})
