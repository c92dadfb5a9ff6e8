import { describe, expect, it } from 'vitest'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { clock, db } = world
const ahead = () => clock.in(3600)

describe('to cancel a meeting', () => {
  it('is final, tells calendars, and repeated changes nothing', async () => {
    const { owner, meeting, at } = await world.make.meeting({ scheduled_at: ahead() })
    clock.advance(1)
    const first = await owner.post(at('/cancel'))
    expect(first.status).toBe(200)
    expect(first.body).toMatchObject({ status: 'cancelled', sequence: meeting.sequence + 1, updated_at: clock.now() })
    clock.advance(1)
    const again = await owner.post(at('/cancel'))
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    for (const door of ['/start', '/end']) {
      expect((await owner.post(at(door))).body.code).toBe('invalid_transition')
    }
    expect((await owner.post(at('/join'), {})).body.code).toBe('meeting_over')
  })

  it('five times at once is to cancel it once', async () => {
    const { owner, at } = await world.make.meeting({ scheduled_at: ahead() })
    const replies = await Promise.all(Array.from({ length: 5 }, () => owner.post(at('/cancel'))))
    for (const { status, body } of replies) {
      expect(status).toBe(200)
      expect(body).toMatchObject({ status: 'cancelled', sequence: 1 })
    }
  })

  it('leaves nothing to answer', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const invitee = await world.make.invitee(held, { answer: 'none' })
    await held.owner.post(held.at('/cancel'))
    for (const [answer, body] of [
      ['accept', {}],
      ['reject', {}],
      ['propose', { scheduled_at: clock.in(7200) }],
    ] as const) {
      const reply = await invitee.post(`${invitee.invited}/${answer}`, body)
      expect(reply.status).toBe(409)
      expect(reply.body.code).toBe('meeting_over')
    }
    const late = await held.owner.post(held.at('/invitations'), { invitees: [{ email: 'late@example.com' }] })
    expect(late.body.code).toBe('meeting_over')
  })

  it('is impossible when it has begun or is over', async () => {
    const { owner, at } = await world.make.meeting()
    expect((await owner.post(at('/cancel'))).body.code).toBe('invalid_transition')
    await owner.post(at('/end'))
    const reply = await owner.post(at('/cancel'))
    expect(reply.status).toBe(409)
    expect(reply.body.code).toBe('invalid_transition')
    expect((await owner.get(at())).body.status).toBe('ended')
  })

  it('while it begins does one or the other', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { owner, at } = await world.make.meeting({ scheduled_at: ahead() })
        const replies = await Promise.all([owner.post(at('/cancel')), owner.post(at('/start'))])
        const { status } = (await owner.get(at())).body
        return [...replies.map(reply => reply.status), status].join(' ')
      }),
    )
    for (const outcome of outcomes) expect(['200 409 cancelled', '409 200 live']).toContain(outcome)
  })

  it('is for the owner', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const stranger = await world.make.user()
    expect((await coHost.post(held.at('/cancel'))).body.code).toBe('owner_only')
    expect((await stranger.post(held.at('/cancel'))).status).toBe(404)
  })
})

describe('to lock a meeting', () => {
  it('keeps out who is new, until it is unlocked; repeated, either changes nothing', async () => {
    const held = await world.make.meeting()
    const [inside, late] = [await world.make.invitee(held), await world.make.invitee(held)]
    await inside.post(held.at('/join'), {})

    const locked = await held.owner.post(held.at('/lock'))
    expect(locked.body.locked).toBe(true)
    expect((await held.owner.post(held.at('/lock'))).body).toEqual(locked.body)
    expect((await late.post(held.at('/join'), {})).body.code).toBe('meeting_locked')
    const knock = await world.anyone.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Guest' })
    expect(knock.body.code).toBe('meeting_locked')
    expect((await inside.post(held.at('/join'), {})).status).toBe(201)

    const unlocked = await held.owner.post(held.at('/unlock'))
    expect(unlocked.body).toMatchObject({ locked: false, version: locked.body.version + 1 })
    expect((await held.owner.post(held.at('/unlock'))).body).toEqual(unlocked.body)
    expect((await late.post(held.at('/join'), {})).status).toBe(201)
  })

  it('is for hosts and co-hosts, and for a meeting that is not over', async () => {
    const held = await world.make.meeting()
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const participant = await world.make.invitee(held)
    const stranger = await world.make.user()
    expect((await coHost.post(held.at('/lock'))).status).toBe(200)
    expect((await participant.post(held.at('/unlock'))).body.code).toBe('hosts_only')
    expect((await stranger.post(held.at('/unlock'))).status).toBe(404)
    await held.owner.post(held.at('/end'))
    for (const door of ['/lock', '/unlock']) {
      expect((await held.owner.post(held.at(door))).body.code).toBe('invalid_transition')
    }
  })
})

describe('to delete a meeting', () => {
  /** Where rows of a meeting may be; what has happened stays in `events`, by ids alone. */
  async function tablesOf(meeting_id: string): Promise<string[]> {
    const found: string[] = []
    for (const table of await tables()) {
      if (table === 'events') continue
      const rows: { [column: string]: unknown }[] = await db(table)
      if (rows.some(row => row.meeting_id === meeting_id || row.id === meeting_id)) found.push(table)
    }
    return found.sort()
  }

  async function tables(): Promise<string[]> {
    if (engine === 'sqlite') return db('sqlite_master').where({ type: 'table' }).pluck('name')
    const rows: { name: string }[] = await db('information_schema.tables')
      .where('table_schema', db.raw(engine === 'mysql' ? 'database()' : 'current_schema()'))
      .select({ name: 'table_name' })
    return rows.map(({ name }) => name)
  }

  it('removes all that hangs on it; who was inside is out, and for everybody it is gone', async () => {
    const held = await world.make.meeting({ scheduled_at: ahead() })
    const proposer = await world.make.invitee(held, { answer: 'none' })
    await proposer.post(`${proposer.invited}/propose`, { scheduled_at: clock.in(7200) })
    const inside = await world.make.invitee(held)
    await held.owner.post(held.at('/join'), {})
    const joined = await inside.post(held.at('/join'), {})
    const guest = await world.make.guest(held)
    expect(await tablesOf(held.meeting.id)).toEqual([
      'attendances',
      'invitations',
      'meeting_participants',
      'meeting_sessions',
      'meetings',
      'proposals',
      'rtc_connections',
    ])

    expect((await held.owner.delete(held.at())).status).toBe(204)
    expect(await tablesOf(held.meeting.id)).toEqual([])
    for (const person of [held.owner, inside, proposer]) {
      expect((await person.get(held.at())).status).toBe(404)
      expect((await person.post(held.at('/join'), {})).status).toBe(404)
    }
    const heartbeat = await inside.post(held.at('/heartbeat'), { connection: joined.body.connection.id })
    expect(heartbeat.status).toBe(404)
    expect((await guest.post(held.at('/join'), {})).status).toBe(401)
    expect((await inside.get(inside.invited)).status).toBe(404)
    expect((await inside.get('/api/invitations')).body.data).toEqual([])
    expect((await inside.get('/api/meetings')).body.data).toEqual([])
    expect((await world.anyone.get(`/api/join/${held.meeting.join_code}`)).status).toBe(404)
    expect((await held.owner.delete(held.at())).status).toBe(404)
  })

  it('leaves every other meeting as it is', async () => {
    const held = await world.make.meeting()
    const other = await world.make.meeting({}, held.owner)
    const invitee = await world.make.invitee(other)
    await world.make.invitee(held, { user: invitee })
    await invitee.post(other.at('/join'), {})
    const before = await tablesOf(other.meeting.id)
    await held.owner.delete(held.at())
    expect(await tablesOf(other.meeting.id)).toEqual(before)
    expect((await invitee.post(other.at('/heartbeat'), {})).body.state).toBe('inside')
  })

  it('five times at once is to delete it once', async () => {
    const { owner, at } = await world.make.meeting()
    const replies = await Promise.all(Array.from({ length: 5 }, () => owner.delete(at())))
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404, 404])
  })

  it('while people come in leaves nothing behind', async () => {
    const held = await world.make.meeting()
    const people = await Promise.all(Array.from({ length: 4 }, () => world.make.invitee(held)))
    const replies = await Promise.all([
      ...people.map(person => person.post(held.at('/join'), {})),
      held.owner.delete(held.at()),
      world.anyone.post(`/api/join/${held.meeting.join_code}`, { display_name: 'Guest' }),
    ])
    for (const { status } of replies) expect([201, 202, 204, 404]).toContain(status)
    expect(await tablesOf(held.meeting.id)).toEqual([])
  })

  it('is for the owner', async () => {
    const held = await world.make.meeting()
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const stranger = await world.make.user()
    expect((await coHost.delete(held.at())).body.code).toBe('owner_only')
    expect((await stranger.delete(held.at())).status).toBe(404)
    expect((await held.owner.get(held.at())).status).toBe(200)
  })
})
