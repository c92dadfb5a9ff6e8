import type { Response } from 'supertest'
import { expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { refuses, says, startFake } from './fake-openai.ts'
import { assemble, oven } from './room.ts'

/** Notes are written by a job: here by an engine that takes as long as a test wants, or fails. */

const OPENAI_KEY = 'sk-the-key-of-tests'
const fake = await startFake()
const world = await createWorld({ NOTES_ENGINE: 'openai', OPENAI_URL: fake.url, OPENAI_KEY, OPENAI_MODEL: 'a-model' })

const good = { summary: 'They spoke of the oven.', key_points: [], action_items: [], sentiment: 'neutral' }
const lease_s = 180

type Room = Awaited<ReturnType<typeof talk>>
async function talk() {
  const room = await assemble(world)
  await room.say(...oven)
  return room
}

/** Asked for, and under way: the engine has been asked, and is to be answered by the test. */
async function begin({ ask }: Room): Promise<{ reply: Response; answer(content?: unknown): void }> {
  let heard = () => {}
  const arrived = new Promise<void>(resolve => {
    heard = resolve
  })
  let answer = (_content: unknown) => {}
  fake.answerNext((response, asked) => {
    answer = content => says(content)(response, asked)
    heard()
  })
  const reply = await ask({ wait: 0 })
  await arrived
  return { reply, answer: (content = good) => answer(content) }
}

it('notes that take their time are told of at once, and read once they are ready', async () => {
  const room = await talk()
  const { at, owner, guest, ask } = room
  const { reply, answer } = await begin(room)
  expect(reply.status).toBe(202)
  expect(reply.body).toMatchObject({ version: 1, status: 'pending', reason: null })
  expect(reply.headers.location).toBe(at('/notes/1'))
  const before = await guest.get(at('/notes'))
  expect([before.status, before.body.status]).toEqual([202, 'pending'])
  expect((await room.edit(1, { summary: 'Too early' })).body.code).toBe('notes_not_ready')

  const waiting = ask()
  expect((await ask({ wait: 0 })).body.version).toBe(1)
  answer()
  const { status, body } = await waiting
  expect(status).toBe(201)
  expect(body).toMatchObject({ version: 1, status: 'ready', engine: 'openai', summary: good.summary })
  const after = await guest.get(at('/notes'), { 'If-None-Match': before.headers.etag ?? '' })
  expect([after.status, after.body]).toEqual([200, body])
  expect((await owner.get(at('/notes?all=1'))).body.data).toHaveLength(1)
})

it('of twenty who ask at the same moment, all are given the same version', async () => {
  const room = await talk()
  const asked = fake.asked.length
  const { answer } = await begin(room)
  const waiting = Array.from({ length: 19 }, () => room.ask())
  const at_once = await Promise.all(Array.from({ length: 10 }, () => room.ask({ wait: 0 })))
  expect(at_once.map(({ status, body }) => [status, body.version])).toEqual(Array(10).fill([202, 1]))
  answer()
  const replies = await Promise.all(waiting)
  expect(replies.map(({ status, body }) => [status, body.version])).toEqual(Array(19).fill([201, 1]))
  expect(fake.asked.length - asked).toBe(1)
  expect(await room.events()).toEqual(['notes.requested', 'notes.ready'])
})

it('a request to nodes at the same moment is one as well', async () => {
  const { at, owner, events } = await talk()
  const other = (await world.startNode()).anyone.with({
    headers: { Authorization: `Bearer ${owner.tokens.access_token}` },
  })
  fake.answerAlways(says(good))
  const replies = await Promise.all([owner, other, owner, other].map(by => by.post(at('/notes'))))
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]))
  const { data } = (await owner.get(at('/notes?all=1'))).body
  const versions = data.map(({ version }: { version: number }) => version).sort()
  expect(new Set(replies.map(({ body }) => body.version))).toEqual(new Set(versions))
  expect(await events()).toHaveLength(2 * versions.length)
})

it('notes whose process died are written by another when the lease has run out, and once', async () => {
  const room = await talk()
  const { answer } = await begin(room)
  const other = await world.startNode()
  await other.app.sweeper.tick()
  expect((await room.owner.get(room.at('/notes/1'))).body.status).toBe('pending')

  world.clock.advance(lease_s + 10)
  fake.answerNext(says({ ...good, summary: 'By the other node.' }))
  await other.app.sweeper.tick()
  const read = () => room.owner.get(room.at('/notes/1'))
  await expect.poll(async () => (await read()).body.summary).toBe('By the other node.')
  const { body } = await read()

  answer({ ...good, summary: 'By who was thought to be dead.' })
  fake.answerNext(says(good))
  const { body: next } = await room.ask() // the late answer has come in by then
  expect(next.version).toBe(2)
  expect((await read()).body).toEqual(body)
  expect((await room.events()).filter(type => type === 'notes.ready')).toHaveLength(2)
})

it('notes that have been the end of three processes are given up', async () => {
  const room = await talk()
  const { reply } = await begin(room)
  for (let died = 1; died < 3; died++) {
    world.clock.advance(lease_s + 10)
    const again = new Promise<void>(resolve => fake.answerNext(() => resolve())) // which is never answered either
    await (await world.startNode()).app.sweeper.tick()
    await again
  }
  world.clock.advance(lease_s + 10)
  const asked = fake.asked.length
  await (await world.startNode()).app.sweeper.tick()
  const row = () => world.db('ai_notes').where({ meeting_id: room.meeting.id, version: reply.body.version }).first()
  await expect.poll(async () => (await row()).status).toBe('failed')
  expect(await row()).toMatchObject({ reason: 'internal', pending_session_id: null })
  expect(fake.asked).toHaveLength(asked)
})

it('a node that is stopped leaves its notes to the next, at once', async () => {
  const room = await talk()
  const node = await world.startNode()
  const there = node.anyone.with({ headers: { Authorization: `Bearer ${room.owner.tokens.access_token}` } })
  const arrived = new Promise<void>(resolve => fake.answerNext(() => resolve()))
  const waiting = there.post(room.at('/notes'))
  await arrived
  node.app.prepareToStop()
  expect((await waiting).status).toBe(202)
  world.clock.advance(10)
  fake.answerAlways(says(good))
  const { status, body } = await room.ask()
  expect([status, body.version]).toEqual([201, 1])
})

it('an engine that fails is tried again later, and has failed the third time', async () => {
  const room = await talk()
  const asked = fake.asked.length
  /** How often it has been tried, once that is settled. */
  const tried = async () => {
    const { attempts, leased_until } = await world.db('ai_notes').where({ meeting_id: room.meeting.id }).first()
    return leased_until ? 'being tried' : attempts
  }
  const read = async () => (await room.owner.get(room.at('/notes/1'))).body
  fake.answerAlways(says('a poem'))
  expect((await room.ask({ wait: 0 })).body.status).toBe('pending')
  await expect.poll(tried).toBe(1)
  await world.app.sweeper.tick()
  expect(fake.asked.length - asked).toBe(1)
  for (const seconds of [11, 61]) {
    expect(await read()).toMatchObject({ status: 'pending', reason: null })
    world.clock.advance(seconds)
    const before = await tried()
    await world.app.sweeper.tick()
    await expect.poll(tried).toBe(before + 1)
  }
  expect(await read()).toMatchObject({ status: 'failed', reason: 'bad_answer' })
  expect(fake.asked.length - asked).toBe(3)
  expect(await room.events()).toEqual(['notes.requested', 'notes.failed'])

  fake.answerAlways(says(good))
  expect((await room.ask()).body).toMatchObject({ version: 2, status: 'ready' })
  expect((await room.owner.get(room.at('/notes'))).body.version).toBe(2)
})

it('an engine that refuses has failed at once, and its words are nobody’s', async () => {
  const room = await talk()
  fake.answerNext(refuses(401, {}, `Incorrect key: ${OPENAI_KEY}`))
  const { status, body, text } = await room.ask()
  expect(status).toBe(202)
  expect(body).toMatchObject({ version: 1, status: 'failed', reason: 'engine_refused' })
  const all = [text, (await room.owner.get(room.at('/notes'))).text, ...world.lines].join('\n')
  expect(all).not.toMatch(/Incorrect key|sk-the-key/)
})

it('notes of a meeting that is deleted meanwhile are nobody’s', async () => {
  const room = await talk()
  const { answer } = await begin(room)
  expect((await room.owner.delete(room.at())).status).toBe(204)
  answer()
  const next = await talk()
  fake.answerAlways(says(good))
  expect((await next.ask()).status).toBe(201) // by then the late answer has come in
  expect(await world.db('ai_notes').where({ meeting_id: room.meeting.id })).toEqual([])
  expect(await room.events()).toEqual(['notes.requested'])
})

it('nobody is asked where nothing was said', async () => {
  const { ask } = await assemble(world)
  const asked = fake.asked.length
  expect((await ask()).body).toMatchObject({ mocked: true, engine: 'openai' })
  expect(fake.asked).toHaveLength(asked)
})
