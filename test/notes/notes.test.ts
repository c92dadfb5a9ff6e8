import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { createWorld } from '../support/world.ts'
import { assemble, oven } from './room.ts'

const world = await createWorld()
const told = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code]

describe('notes', () => {
  it('are written of what was said and written, each point with its cue', async () => {
    const { at, owner, guest, say, ask, session_id, events } = await assemble(world, { title: 'The oven' })
    await say(...oven)
    world.clock.advance(60)
    const message = (await guest.post(at('/messages'), { text: 'The budget of the bakery is eight thousand.' })).body
    const { status, body, headers } = await ask()
    expect([status, headers.location, headers.etag]).toEqual([201, at('/notes/1'), '"1"'])
    expect(body).toMatchObject({ version: 1, session_id, status: 'ready', engine: 'local', mocked: false })
    expect(body.transcript_text.split('\n')).toEqual([
      ...oven.map(([speaker, text]) => `${speaker}: ${text}`),
      'Bob (chat): The budget of the bakery is eight thousand.',
    ])
    expect(body.action_items).toEqual([{ text: oven[1]?.[1], who: 'Bob', due: 'tomorrow' }])
    expect(body.summary).toContain('The oven: 2 people were there.')

    const { segments } = (await owner.get(at('/transcript'))).body
    const sources = new Map([message, ...segments].map(({ id, text }) => [id, text]))
    expect(body.key_points.length).toBeGreaterThanOrEqual(3)
    for (const { text, cues } of body.key_points) expect(sources.get(cues[0].id)).toContain(text)
    expect(body.key_points.at(-1).cues).toEqual([{ id: message.id, source: 'chat', start_ms: null }])
    expect((await guest.get(at('/notes'))).body).toEqual(body)
    expect(await events()).toEqual(['notes.requested', 'notes.ready'])
  })

  it('say that they are mocked where nobody said or wrote anything', async () => {
    const { ask } = await assemble(world)
    const { status, body } = await ask()
    expect(status).toBe(201)
    expect(body.mocked).toBe(true)
    const texts = [body.transcript_text, body.summary, body.key_points[0].text, body.action_items[0].text]
    for (const text of texts) expect(text).toMatch(/mocked/i)
  })

  it('need a session, and a host', async () => {
    const planned = await world.make.meeting({ scheduled_at: world.clock.in(3600) })
    expect(told(await planned.owner.post(planned.at('/notes')))).toEqual([409, 'no_session'])
    const { at, guest, ask } = await assemble(world)
    expect(told(await guest.post(at('/notes')))).toEqual([403, 'hosts_only'])
    expect(told(await ask({ session_id: 'ses_of-nobody' }))).toEqual([409, 'no_session'])
    expect((await ask({ wait: 11 })).status).toBe(422)
    expect((await ask({ sessions: 'all' })).status).toBe(422)
  })

  it('are written once for who repeats the call with the same key', async () => {
    const { at, owner } = await assemble(world)
    const again = () => owner.post(at('/notes'), {}, { 'Idempotency-Key': 'once' })
    const [first, second] = [await again(), await again()]
    expect(second.body).toEqual(first.body)
    expect(second.headers['idempotency-replayed']).toBe('true')
    expect((await owner.get(at('/notes?all=1'))).body.data).toHaveLength(1)
  })

  it('are counted without a gap, however many ask at once', async () => {
    const { at, owner, ask, edit } = await assemble(world)
    await ask()
    const edits = Array.from({ length: 8 }, (_, i) => edit(1, { summary: `Edit ${i}` }))
    const replies = await Promise.all([...edits, ...Array.from({ length: 8 }, () => ask())])
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 201]))
    const { data } = (await owner.get(at('/notes?all=1'))).body
    const versions = data.map(({ version }: { version: number }) => version)
    expect(versions).toEqual(Array.from({ length: data.length }, (_, i) => data.length - i))
    expect(new Set(replies.slice(0, 8).map(({ body }) => body.version)).size).toBe(8)
  })

  it('come to an end in a meeting that has two hundred of them', async () => {
    const { ask, edit, meeting } = await assemble(world)
    await ask()
    await inTransaction(world.db, db => db('ai_notes').where({ meeting_id: meeting.id }).update({ version: 200 }))
    expect(told(await ask())).toEqual([409, 'too_many_versions'])
    expect(told(await edit(200, { summary: 'One more' }))).toEqual([409, 'too_many_versions'])
  })

  it('go with their meeting', async () => {
    const { at, owner, ask, meeting } = await assemble(world)
    await ask()
    await owner.delete(at())
    expect(await world.db('ai_notes').where({ meeting_id: meeting.id })).toEqual([])
    expect((await owner.get(at('/notes'))).status).toBe(404)
  })

  it('hold a transcript of twenty thousand words', async () => {
    const { ask, say } = await assemble(world)
    const words = Array.from({ length: 40 }, (_, i) => `The oven number ${i} é € 😀 ${'is warm '.repeat(250)}.`)
    await say(...words.map(text => ['Ada', text] as const))
    const { status, body } = await ask()
    expect(status).toBe(201)
    expect(body.transcript_text.length).toBeGreaterThan(70_000)
    expect(body.transcript_text).toContain('é € 😀')
  })
})

describe('an edit', () => {
  it('is another version, and leaves the one that it was made of', async () => {
    const { at, owner, say, ask, edit, me, events } = await assemble(world)
    await say(...oven)
    const first = (await ask()).body
    const [point] = first.key_points
    const changes = {
      summary: 'The oven is broken.',
      key_points: [{ text: 'It broke on Monday.', cues: point.cues }, { text: 'Of my own' }],
      action_items: [{ text: 'Call the electrician', who: 'Bob' }],
      sentiment: 'negative',
    }
    const { status, body, headers } = await edit(1, changes)
    expect([status, headers.etag]).toEqual([200, '"2"'])
    expect(body).toMatchObject({
      version: 2,
      based_on: 1,
      edited_by: me,
      engine: 'local',
      ...changes,
      key_points: [{}, { cues: [] }],
    })
    expect(body.transcript_text).toBe(first.transcript_text)
    expect((await owner.get(at('/notes/1'))).body).toEqual(first)
    expect((await edit(2, { sentiment: 'neutral' })).body).toEqual({
      ...body,
      version: 3,
      based_on: 2,
      sentiment: 'neutral',
    })
    expect(await events()).toEqual(['notes.requested', 'notes.ready', 'notes.edited', 'notes.edited'])
  })

  it('stays the latest when notes are written anew, until somebody edits again', async () => {
    const { at, owner, ask, edit } = await assemble(world)
    const latest = async () => (await owner.get(at('/notes'))).body.version
    await ask()
    await ask()
    expect(await latest()).toBe(2)
    await edit(2, { summary: 'By hand' })
    const anew = await ask()
    expect(anew.body).toMatchObject({ version: 4, edited_by: null })
    expect(await latest()).toBe(3)
    expect((await owner.get(at('/notes/3'))).body.summary).toBe('By hand')
    await edit(4, { summary: 'The new ones' })
    expect(await latest()).toBe(5)
    const { data } = (await owner.get(at('/notes?all=1'))).body
    expect(data.map(({ version, latest }: { version: number; latest: boolean }) => [version, latest])).toEqual([
      [5, true],
      [4, false],
      [3, false],
      [2, false],
      [1, false],
    ])
  })

  it('that names a tag is refused once somebody else has edited', async () => {
    const { ask, edit } = await assemble(world)
    const { etag } = (await ask()).headers
    const replies = await Promise.all([edit(1, { summary: 'Mine' }, etag), edit(1, { summary: 'Yours' }, etag)])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 412])
    expect(told(await edit(1, { summary: 'Late' }, etag))).toEqual([412, 'stale'])
    expect((await edit(1, { summary: 'Anyway' })).status).toBe(200)
    expect((await edit(3, { summary: 'Right' }, '"3"')).status).toBe(200)
    expect((await edit(3, { summary: 'Wrong' }, '"1"')).status).toBe(412)
  })

  it('keep their quotes as they were said: an edit chooses among them, and makes up none', async () => {
    const { say, ask, edit } = await assemble(world)
    await say(...oven)
    const [quote] = (await ask()).body.key_points
    const forged = { ...quote.cues[0], source: 'chat', start_ms: 99_000 }
    const { body } = await edit(1, {
      key_points: [
        { text: quote.text, cues: [forged] },
        { text: 'Ada admitted to it', cues: quote.cues },
      ],
    })
    expect(body.key_points).toEqual([quote, { text: 'Ada admitted to it', cues: [] }])
  })

  it('makes up no cue, and has the shape of notes', async () => {
    const { at, ask, edit, guest } = await assemble(world)
    await ask()
    const made_up = { text: 'Never said', cues: [{ id: 'seg_made-up', source: 'transcript', start_ms: 0 }] }
    const reply = await edit(1, { key_points: [made_up] })
    expect([reply.status, reply.body.errors?.[0].path]).toEqual([422, 'key_points.0.cues.0.id'])
    for (const body of [
      { mood: 'good' },
      { sentiment: 'furious' },
      { key_points: [{ text: '' }] },
      { summary: 'a\u0000b' },
    ]) {
      expect((await edit(1, body)).status, JSON.stringify(body)).toBe(422)
    }
    expect(told(await guest.patch(at('/notes/1'), { summary: 'Mine' }))).toEqual([403, 'hosts_only'])
    expect((await edit(2, { summary: 'Of nothing' })).status).toBe(404)
    for (const version of ['0', 'x', '1e9', '-1']) expect((await guest.get(at(`/notes/${version}`))).status).toBe(422)
  })
})

describe('who may read notes', () => {
  it('is who was in that session, also when they have gone, and hosts', async () => {
    const held = await assemble(world, { kind: 'standing' })
    const { at, owner, guest, ask, session_id } = held
    const absent = await world.make.invitee(held)
    const co_host = await world.make.invitee(held, { role: 'co_host' })
    await ask()
    await owner.post(at('/end'))
    for (const person of [owner, co_host, guest]) expect((await person.get(at('/notes'))).status).toBe(200)
    expect(told(await absent.get(at('/notes')))).toEqual([403, 'not_there'])
    expect(told(await absent.get(at('/notes/1')))).toEqual([403, 'not_there'])
    expect(told(await absent.get(at('/notes?all=1')))).toEqual([403, 'not_there'])

    world.clock.advance(60)
    await owner.post(at('/start'))
    await absent.post(at('/join'))
    expect((await ask()).body.version).toBe(2)
    expect((await owner.get(at('/notes'))).body.version).toBe(2)
    expect((await owner.get(at(`/notes?session_id=${session_id}`))).body.version).toBe(1)
    expect((await absent.get(at('/notes'))).body.version).toBe(2)
    expect((await guest.get(at('/notes'))).body.version).toBe(1)
    expect(told(await guest.get(at('/notes/2')))).toEqual([403, 'not_there'])
    expect(told(await absent.get(at(`/notes?session_id=${session_id}`)))).toEqual([403, 'not_there'])
    expect((await absent.get(at('/notes?all=1'))).body.data).toHaveLength(1)
    expect((await owner.get(at('/notes?all=1'))).body.data).toHaveLength(2)
  })

  it('is nobody who was shown out or banned, nor a stranger, nor another tenant', async () => {
    const { at, owner, guest, ask } = await assemble(world)
    await ask()
    const stranger = await world.make.user()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    for (const person of [stranger, foreigner]) {
      expect((await person.get(at('/notes'))).status).toBe(404)
      expect((await person.get(at('/notes/1'))).status).toBe(404)
      expect((await person.post(at('/notes'))).status).toBe(404)
      expect((await person.patch(at('/notes/1'), {})).status).toBe(404)
    }
    await owner.post(at(`/participants/${guest.participant.id}/remove`))
    expect((await guest.get(at('/notes/1'))).status).toBe(403)
    await owner.post(at(`/participants/${guest.participant.id}/remove`), { ban: true })
    expect(told(await guest.get(at('/notes/1')))).toEqual([403, 'banned'])
  })

  it('finds none where none were asked for', async () => {
    const { at, owner, guest } = await assemble(world)
    for (const person of [owner, guest]) expect((await person.get(at('/notes'))).status).toBe(404)
    expect((await owner.get(at('/notes?all=1'))).body.data).toEqual([])
    expect((await owner.get(at('/notes?all=yes'))).status).toBe(422)
  })

  it('and has them already, is not sent them again', async () => {
    const { at, owner, ask } = await assemble(world)
    const { etag = '' } = (await ask()).headers
    expect((await owner.get(at('/notes'), { 'If-None-Match': etag })).status).toBe(304)
    expect((await owner.get(at('/notes'), { 'If-None-Match': '"2"' })).status).toBe(200)
  })
})
