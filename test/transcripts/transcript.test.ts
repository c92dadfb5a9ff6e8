import { describe, expect, it } from 'vitest'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { createWorld, type Held, PASSWORD, type Person } from '../support/world.ts'

const world = await createWorld()

type Attendee = Person & { participant_id: string }

async function comeIn(held: Held, name: string): Promise<Attendee> {
  const person = await world.make.invitee(held, { user: await world.make.user({ name }) })
  const joined = await person.post(held.at('/join'))
  expect(joined.status).toBe(201)
  return { ...person, participant_id: joined.body.participant.id }
}

async function heldWith(...names: string[]) {
  const held = await world.make.meeting({ kind: 'standing' }, await world.make.user({ name: 'Olga Owner' }))
  expect((await held.owner.post(held.at('/join'))).status).toBe(201)
  const people: Attendee[] = []
  for (const name of names) people.push(await comeIn(held, name))
  const called = (name: string): Attendee => {
    const found = people.find(({ user }) => user.name === name)
    if (!found) throw new Error(`${name} is not there`)
    return found
  }
  return { ...held, called }
}

const said = (start_ms: number, text: string, more: object = {}) => ({
  start_ms,
  end_ms: start_ms + 900,
  text,
  ...more,
})
const add = (by: Person, { at }: Pick<Held, 'at'>, ...segments: object[]) => by.post(at('/transcript'), { segments })
const vtt = (by: Person, { at }: Pick<Held, 'at'>, text: string) =>
  by.post(at('/transcript'), text, { 'Content-Type': 'text/vtt' })

/** Supertest reads no text of a type that it does not know. */
async function textOf({ tokens }: Person, path: string, Accept: string): Promise<string> {
  const headers = { Accept, Authorization: `Bearer ${tokens.access_token}` }
  return (await fetch(world.origin + path, { headers })).text()
}

/** With a new login, for tokens do not last for a day. */
async function logInAgain({ user }: Person): Promise<Person> {
  const login = { email: user.email, password: PASSWORD }
  return world.make.caller(
    await world.app.accounts.logIn(DEFAULT_TENANT, login, { network: 'test', user_agent: 'test' }),
  )
}

describe('A transcript', () => {
  it('is put in order, whoever adds what when', async () => {
    const held = await heldWith('Ada', 'Bob')
    const [ada, bob] = [held.called('Ada'), held.called('Bob')]
    expect((await add(bob, held, said(2000, 'second'), said(4000, 'fourth'))).body).toMatchObject({ added: 2 })
    await add(ada, held, said(3000, 'third'), said(1000, 'first'))
    const { status, body } = await ada.get(held.at('/transcript'))
    expect(status).toBe(200)
    expect(body.segments.map(({ text, speaker }: { text: string; speaker: string }) => [speaker, text])).toEqual([
      ['Ada', 'first'],
      ['Bob', 'second'],
      ['Ada', 'third'],
      ['Bob', 'fourth'],
    ])
  })

  it('has nothing twice, however often and at once it is sent', async () => {
    const held = await heldWith('Ada')
    const ada = held.called('Ada')
    const segments = [said(0, 'one'), said(1000, 'two'), said(1000, 'two')]
    const replies = await Promise.all(Array.from({ length: 8 }, () => add(ada, held, ...segments)))
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(replies.reduce((sum, { body }) => sum + body.added, 0)).toBe(2)
    expect((await add(ada, held, said(0, 'one'), said(2000, 'three'))).body).toMatchObject({ added: 1, duplicates: 1 })
    expect((await ada.get(held.at('/transcript'))).body.segments).toHaveLength(3)
  })

  it('knows the speaker by id, by a name that one of them has, or else as whoever adds it', async () => {
    const held = await heldWith('Ada Lovelace', 'Bob', 'Bob')
    const [ada, bob] = [held.called('Ada Lovelace'), held.called('Bob')]
    await add(
      ada,
      held,
      said(0, 'by id', { participant_id: bob.participant_id }),
      said(1, 'by name', { speaker: '  ada  LOVELACE' }),
      said(2, 'by a name of two', { speaker: 'Bob' }),
      said(3, 'by a name of nobody', { speaker: 'Mallory' }),
      said(4, 'by nobody'),
    )
    const { segments } = (await ada.get(held.at('/transcript'))).body
    expect(
      segments.map((each: { participant_id: string; speaker: string }) => [each.participant_id, each.speaker]),
    ).toEqual([
      [bob.participant_id, 'Bob'],
      [ada.participant_id, 'Ada Lovelace'],
      [null, 'Bob'],
      [null, 'Mallory'],
      [ada.participant_id, 'Ada Lovelace'],
    ])
  })

  it('has nothing twice when who has that name came only later, or another of that name', async () => {
    const held = await heldWith('Ada')
    const ada = held.called('Ada')
    const early = said(0, 'before any of them', { speaker: 'Bob' })
    expect((await add(ada, held, early)).body).toMatchObject({ added: 1 })
    world.clock.advance(1)
    await comeIn(held, 'Bob')
    const later = said(1000, 'while there is one', { speaker: 'Bob' })
    expect((await add(ada, held, early, later)).body).toMatchObject({ added: 1, duplicates: 1 })
    world.clock.advance(1)
    await comeIn(held, 'Bob')
    expect((await add(ada, held, early, later)).body).toMatchObject({ added: 0, duplicates: 2 })
    expect((await ada.get(held.at('/transcript'))).body.segments).toHaveLength(2)
  })

  it('records that it grew, by ids and numbers alone', async () => {
    const held = await heldWith('Ada')
    const ada = held.called('Ada')
    await add(ada, held, said(0, 'A secret'), said(1000, 'Another'))
    await add(ada, held, said(0, 'A secret'))
    const recorded = await world.db('events').where({ meeting_id: held.meeting.id, type: 'transcript.added' })
    expect(recorded).toHaveLength(1)
    const text = JSON.stringify(recorded)
    expect(text).toContain(ada.participant_id)
    expect(text).not.toContain('secret')
  })

  it('refuses whoever was not in the session, and says which', async () => {
    const held = await heldWith('Ada')
    const absent = await world.make.invitee(held)
    const people = (await held.owner.get(held.at('/participants?limit=100'))).body.data
    const { id } = people.find(({ user_id }: { user_id: string }) => user_id === absent.user.id)
    const { status, body } = await add(held.owner, held, said(0, 'ok'), said(1, 'no', { participant_id: id }))
    expect([status, body.errors[0].path]).toEqual([422, 'segments.1.participant_id'])
    expect((await held.owner.get(held.at('/transcript'))).body.segments).toEqual([])
  })

  it.each([
    ['an end before its start', { start_ms: 10, end_ms: 5, text: 'x' }, 'segments.0.end_ms'],
    ['no text', { start_ms: 0, end_ms: 5, text: ' ' }, 'segments.0.text'],
    ['what has no name here', { start_ms: 0, end_ms: 5, text: 'x', mood: 'good' }, 'segments.0.mood'],
  ])('refuses a segment with %s', async (_, segment, path) => {
    const held = await heldWith()
    const { status, body } = await add(held.owner, held, segment)
    expect([status, body.errors[0].path]).toEqual([422, path])
  })

  it('takes WebVTT, and gives WebVTT and SubRip', async () => {
    const held = await heldWith('Ada')
    const ada = held.called('Ada')
    const source = 'WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>a --&gt; b &lt;c&gt;\n\n00:03.000 --> 00:04.000\nby me\n'
    expect((await vtt(held.owner, held, source)).body).toMatchObject({ added: 2, duplicates: 0 })
    expect((await vtt(held.owner, held, source)).body).toMatchObject({ added: 0, duplicates: 2 })
    const json = (await ada.get(held.at('/transcript'))).body.segments
    expect(json.map(({ speaker, text }: { speaker: string; text: string }) => `${speaker}: ${text}`)).toEqual([
      'Ada: a --> b <c>',
      'Olga Owner: by me',
    ])

    const asVtt = await ada.get(held.at('/transcript'), { Accept: 'text/vtt' })
    expect(asVtt.type).toBe('text/vtt')
    expect(asVtt.text).toContain('00:00:01.000 --> 00:00:02.000\n<v Ada>a --&gt; b &lt;c&gt;\n')
    const asSrt = await ada.get(held.at('/transcript'), { Accept: 'application/x-subrip' })
    expect(asSrt.headers['content-type']).toContain('application/x-subrip')
    expect(await textOf(ada, held.at('/transcript'), 'application/x-subrip')).toContain(
      '1\n00:00:01,000 --> 00:00:02,000\nAda: a --> b <c>\n',
    )
  })

  it('says on which line WebVTT is wrong, and takes no text that is none', async () => {
    const held = await heldWith()
    const wrong = await vtt(held.owner, held, 'WEBVTT\n\n00:01 --> 00:02\nHello')
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, 'line 3'])
    expect((await vtt(held.owner, held, 'WEBVTT\n\n00:01.000 --> 00:02.000\nNUL \0')).status).toBe(422)
    expect((await vtt(held.owner, held, 'WEBVTT\n')).status).toBe(422)
    const other = await held.owner.post(held.at('/transcript'), 'x', { 'Content-Type': 'text/plain' })
    expect(other.status).toBe(415)
  })

  it('is open until a day after its session', async () => {
    const held = await heldWith('Ada')
    const ada = held.called('Ada')
    await held.owner.post(held.at('/end'))
    world.clock.advance(23 * 3600)
    expect((await add(await logInAgain(ada), held, said(0, 'late'))).status).toBe(200)
    world.clock.advance(3601)
    const late = await logInAgain(ada)
    const { status, body } = await add(late, held, said(1, 'too late'))
    expect([status, body.code]).toEqual([409, 'transcript_closed'])
    expect((await late.get(held.at('/transcript'))).body.segments).toHaveLength(1)
  })

  it('has an end: what is more than it may have is refused whole', async () => {
    const held = await heldWith()
    const batch = (from: number) => Array.from({ length: 2000 }, (_, i) => said(from + i, `${i}`))
    for (let i = 0; i < 10; i++) expect((await add(held.owner, held, ...batch(i * 2000))).status).toBe(200)
    const { status, body } = await add(held.owner, held, said(50_000, 'more'))
    expect([status, body.code]).toEqual([409, 'transcript_full'])
    expect((await add(held.owner, held, ...batch(0))).body).toMatchObject({ added: 0, duplicates: 2000 })
  })

  it('is for who was there and for hosts', async () => {
    const held = await heldWith('Ada')
    const absent = await world.make.invitee(held)
    expect((await absent.get(held.at('/transcript'))).body.code).toBe('not_there')
    expect((await add(absent, held, said(0, 'no'))).status).toBe(403)
    await held.owner.post(held.at(`/participants/${held.called('Ada').participant_id}/remove`), { ban: true })
    expect((await held.called('Ada').get(held.at('/transcript'))).body.code).toBe('banned')
    expect((await add(held.called('Ada'), held, said(0, 'no'))).body.code).toBe('banned')
    const planned = await world.make.meeting({ scheduled_at: world.clock.in(86_400) })
    expect((await planned.owner.get(planned.at('/transcript'))).body.code).toBe('no_session')
  })
})
