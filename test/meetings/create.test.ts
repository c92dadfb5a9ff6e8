import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const meetings = '/api/meetings'

const types = {
  individual: { max_participants: 2, senders: 'all', screen_share: 'all', chat: 'all', recording: 'off', lobby: false },
  group: { max_participants: 25, senders: 'all', screen_share: 'all', chat: 'all', recording: 'manual', lobby: false },
  webinar: {
    max_participants: 100,
    senders: 'hosts',
    screen_share: 'hosts',
    chat: 'all',
    recording: 'auto',
    lobby: true,
  },
  broadcast: {
    max_participants: 1000,
    senders: 'hosts',
    screen_share: 'hosts',
    chat: 'hosts',
    recording: 'auto',
    lobby: false,
  },
}

describe.each(Object.entries(types))('a meeting of the type %s', (type, usual) => {
  it('has what its type says', async () => {
    const me = await world.make.user()
    const reply = await me.post(meetings, { title: 'A meeting', type })
    expect(reply.status).toBe(201)
    expect(reply.body).toMatchObject({ type, ...usual, guests: true, max_duration_minutes: null })
  })

  it('has on each setting what its owner says instead', async () => {
    const me = await world.make.user()
    const other = {
      max_participants: 7,
      senders: usual.senders === 'all' ? 'hosts' : 'all',
      screen_share: usual.screen_share === 'all' ? 'hosts' : 'all',
      chat: 'off',
      recording: usual.recording === 'off' ? 'auto' : 'off',
      lobby: !usual.lobby,
      guests: false,
      max_duration_minutes: 90,
    }
    for (const setting of Object.entries(other).map(([name, value]) => ({ [name]: value }))) {
      const reply = await me.post(meetings, { title: 'A meeting', type, ...setting })
      expect(reply.body).toMatchObject({ type, ...usual, ...setting })
    }
    expect((await me.post(meetings, { title: 'A meeting', type, ...other })).body).toMatchObject({ type, ...other })
  })
})

describe('a new meeting', () => {
  it('is a group, a one-off, an hour long and mine, if nothing is said', async () => {
    const me = await world.make.user()
    const reply = await me.post(meetings, { title: '  Tea  ' })
    expect(reply.body).toMatchObject({
      owner_id: me.user.id,
      title: 'Tea',
      description: '',
      type: 'group',
      kind: 'one_off',
      duration_minutes: 60,
      time_zone: 'UTC',
      recurrence: null,
      locked: false,
      provider: 'mesh',
      metadata: {},
      sequence: 0,
      created_at: clock.now(),
    })
    expect(reply.headers.location).toBe(`${meetings}/${reply.body.id}`)
    expect((await me.get(reply.headers.location ?? '')).body).toEqual(reply.body)
  })

  it('is live at once without a time, and its owner can join', async () => {
    const { owner, meeting, at } = await world.make.meeting()
    expect(meeting).toMatchObject({ status: 'live', scheduled_at: null, started_at: clock.now(), ended_at: null })
    const joined = await owner.post(at('/join'), {})
    expect(joined.status).toBe(201)
    expect(joined.body).toMatchObject({ role: 'host', session: { started_at: clock.now(), ended_at: null } })
  })

  it('is scheduled with a time, and not yet to be joined by who is invited', async () => {
    const scheduled_at = clock.in(3600)
    const held = await world.make.meeting({ scheduled_at })
    expect(held.meeting).toMatchObject({ status: 'scheduled', scheduled_at, started_at: null })
    const invitee = await world.make.invitee(held)
    expect((await invitee.post(held.at('/join'), {})).body.code).toBe('not_live')
  })

  it('keeps what its owner wants to keep with it', async () => {
    const metadata = { course: 'algebra', rooms: [1, { deep: [null, true] }], ключ: '🎓' }
    const { owner, meeting, at } = await world.make.meeting({ metadata, description: 'First\n\tsecond' })
    expect(meeting).toMatchObject({ metadata, description: 'First\n\tsecond' })
    expect((await owner.get(at())).body.metadata).toEqual(metadata)
  })

  it.each([
    ['without a title', 'title', { title: ' ' }],
    ['with a title of two lines', 'title', { title: 'two\nlines' }],
    ['with too long a title', 'title', { title: 'x'.repeat(201) }],
    ['with a description that rings a bell', 'description', { description: 'a\u0007b' }],
    ['without a duration', 'duration_minutes', { duration_minutes: 0 }],
    ['with half a minute', 'duration_minutes', { duration_minutes: 1.5 }],
    ['in no place on earth', 'time_zone', { time_zone: 'Mars/Olympus' }],
    ['in an offset instead of a zone', 'time_zone', { time_zone: '+02:00' }],
    ['of an unknown type', 'type', { type: 'party' }],
    ['of an unknown kind', 'kind', { kind: 'sometimes' }],
    ['for nobody', 'max_participants', { max_participants: 0 }],
    ['for too many', 'max_participants', { max_participants: 1001 }],
    ['with another chat than there is', 'chat', { chat: 'loud' }],
    ['with media that nobody carries', 'provider', { provider: 'pigeon' }],
    ['with too much kept with it', 'metadata', { metadata: { text: 'x'.repeat(9000) } }],
    ['with a member that nobody knows', 'colour', { colour: 'red' }],
    ['with a status of its own', 'status', { status: 'ended' }],
    ['with a code of its own', 'join_code', { join_code: 'letmein' }],
    ['with another owner', 'owner_id', { owner_id: 'usr_somebody' }],
    ['with a sequence of its own', 'sequence', { sequence: 7 }],
  ])('is refused %s', async (_, path, wrong) => {
    const me = await world.make.user()
    const reply = await me.post(meetings, { title: 'A meeting', ...wrong })
    expect(reply.status).toBe(422)
    expect([...new Set(reply.body.errors.map((error: { path: string }) => error.path))]).toEqual([path])
    expect((await me.get(meetings)).body.data).toEqual([])
  })

  it('is refused with every wrong field at once', async () => {
    const me = await world.make.user()
    const reply = await me.post(meetings, { titel: 'A meeting', duration_minutes: 0, chat: 'loud' })
    const paths = reply.body.errors.map((error: { path: string }) => error.path).sort()
    expect(paths).toEqual(['chat', 'duration_minutes', 'titel', 'title'])
  })

  it('is not for who has no account', async () => {
    const held = await world.make.meeting()
    const guest = await world.make.guest(held)
    expect((await guest.post(meetings, { title: 'Mine' })).status).toBe(403)
    expect((await world.anyone.post(meetings, { title: 'Mine' })).status).toBe(401)
  })
})

describe('an Idempotency-Key', () => {
  const key = { 'Idempotency-Key': 'one-and-the-same' }

  it('makes one meeting of ten requests at once', async () => {
    const me = await world.make.user()
    const replies = await Promise.all(Array.from({ length: 10 }, () => me.post(meetings, { title: 'Once' }, key)))
    const made = replies.filter(({ status }) => status === 201)
    const early = replies.filter(({ status }) => status === 409)
    expect(made.length).toBeGreaterThan(0)
    expect(made.length + early.length).toBe(10)
    for (const { body } of early) expect(body.code).toBe('idempotency_in_progress')
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1)
    expect((await me.get(meetings)).body.data).toEqual([made[0]?.body])

    const again = await me.post(meetings, { title: 'Once' }, key)
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.headers.location).toBe(`${meetings}/${made[0]?.body.id}`)
    expect(again.body).toEqual(made[0]?.body)
  })

  it('is for one meeting, and one caller', async () => {
    const [me, other] = [await world.make.user(), await world.make.user()]
    const mine = await me.post(meetings, { title: 'Mine' }, key)
    const mismatch = await me.post(meetings, { title: 'Another' }, key)
    expect(mismatch.status).toBe(422)
    expect(mismatch.body.code).toBe('idempotency_mismatch')
    const theirs = await other.post(meetings, { title: 'Mine' }, key)
    expect(theirs.status).toBe(201)
    expect(theirs.body.id).not.toBe(mine.body.id)
  })
})
