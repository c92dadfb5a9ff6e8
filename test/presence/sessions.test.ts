import { describe, expect, it } from 'vitest'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()

const planMeeting = (body: object = {}) => world.make.meeting({ scheduled_at: world.clock.in(3600), ...body }, owner)
const eventsOf = ({ meeting }: Held, type: string) => world.db('events').where({ meeting_id: meeting.id, type })
const sessionsOf = ({ meeting }: Held) => world.db('meeting_sessions').where({ meeting_id: meeting.id }).orderBy('id')
const statusOf = async ({ at }: Held): Promise<string> => (await owner.get(at())).body.status

/** As many calls at once, and the status of each answer. */
async function callAtOnce(times: number, call: () => Promise<{ status: number }>): Promise<number[]> {
  return (await Promise.all(Array.from({ length: times }, call))).map(({ status }) => status).sort()
}

async function expectRefused(call: Promise<{ status: number; body: { code: string } }>, code: string): Promise<void> {
  const { status, body } = await call
  expect([status, body.code]).toEqual([409, code])
}

describe('starting a meeting', () => {
  it('twenty times at once makes one session, of which is told once', async () => {
    const held = await planMeeting()
    expect(await callAtOnce(20, () => owner.post(held.at('/start')))).toEqual(Array(20).fill(200))
    expect(await eventsOf(held, 'meeting.started')).toHaveLength(1)
    expect(await sessionsOf(held)).toHaveLength(1)
    expect(await statusOf(held)).toBe('live')
  })

  it('is what the host’s join does, also at the same moment as a start', async () => {
    const held = await planMeeting()
    const replies = await Promise.all([
      ...Array.from({ length: 4 }, () => owner.post(held.at('/join'))),
      ...Array.from({ length: 4 }, () => owner.post(held.at('/start'))),
    ])
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201, 200, 200, 200, 200])
    const joined = replies.slice(0, 4).map(({ body }) => body.session.id)
    const sessions = await sessionsOf(held)
    expect(sessions).toHaveLength(1)
    expect(new Set(joined)).toEqual(new Set([sessions[0].id]))
    expect(await eventsOf(held, 'meeting.started')).toHaveLength(1)
  })

  it('is the host’s affair: before it, nobody else can join', async () => {
    const held = await planMeeting()
    const invitee = await world.make.invitee(held)
    await expectRefused(invitee.post(held.at('/join')), 'not_live')
    expect((await invitee.post(held.at('/start'))).body.code).toBe('hosts_only')
    expect((await owner.post(held.at('/join'))).status).toBe(201)
    expect((await invitee.post(held.at('/join'))).status).toBe(201)
  })

  it('is for nobody who has no part in it', async () => {
    const held = await planMeeting()
    const stranger = await world.make.user()
    const elsewhere = await world.make.user({ tenant_id: await world.make.tenant('elsewhere') })
    for (const person of [stranger, elsewhere]) {
      expect((await person.post(held.at('/start'))).status).toBe(404)
      expect((await person.post(held.at('/end'))).status).toBe(404)
      expect((await person.post(held.at('/join'))).status).toBe(404)
    }
  })

  it('is not possible once it was cancelled', async () => {
    const held = await planMeeting()
    expect((await owner.post(held.at('/cancel'))).status).toBe(200)
    await expectRefused(owner.post(held.at('/start')), 'invalid_transition')
    await expectRefused(owner.post(held.at('/join')), 'meeting_over')
    expect(await statusOf(held)).toBe('cancelled')
    expect(await sessionsOf(held)).toHaveLength(0)
  })
})

describe('ending a meeting', () => {
  it('twenty times at once ends it once', async () => {
    const held = await world.make.meeting({}, owner)
    expect(await callAtOnce(20, () => owner.post(held.at('/end')))).toEqual(Array(20).fill(200))
    expect(await eventsOf(held, 'meeting.ended')).toHaveLength(1)
    expect(await sessionsOf(held)).toMatchObject([{ end_reason: 'host', live_meeting_id: null }])
  })

  it('a second time changes nothing', async () => {
    const held = await world.make.meeting({}, owner)
    const first = await owner.post(held.at('/end'))
    world.clock.advance(1)
    const second = await owner.post(held.at('/end'))
    expect(second.status).toBe(200)
    expect(second.body).toEqual(first.body)
  })

  it('that happens once is for good', async () => {
    const held = await world.make.meeting({}, owner)
    await owner.post(held.at('/end'))
    await expectRefused(owner.post(held.at('/start')), 'invalid_transition')
    await expectRefused(owner.post(held.at('/join')), 'meeting_over')
    expect(await statusOf(held)).toBe('ended')
    expect(await sessionsOf(held)).toHaveLength(1)
  })

  it('that is standing leaves it to be started again, as another session', async () => {
    const held = await planMeeting({ kind: 'standing' })
    await owner.post(held.at('/start'))
    expect((await owner.post(held.at('/end'))).body.status).toBe('scheduled')
    expect((await owner.post(held.at('/end'))).body.status).toBe('scheduled')
    expect((await owner.post(held.at('/start'))).body.status).toBe('live')
    const sessions = await sessionsOf(held)
    expect(sessions.map(({ end_reason }) => end_reason)).toEqual(['host', null])
    expect(await eventsOf(held, 'meeting.ended')).toHaveLength(1)
  })

  it('puts everybody out, and who waits as well', async () => {
    const held = await world.make.meeting({}, owner)
    const guest = await world.make.guest(held)
    const { connection } = (await owner.post(held.at('/join'))).body
    await owner.post(held.at('/end'))
    const { body } = await owner.get(held.at('/participants'))
    expect(body.data.map(({ state }: { state: string }) => state)).toEqual(['away', 'away'])
    await expectRefused(guest.post(held.at('/join')), 'meeting_over')
    const gone = await owner.post(held.at('/heartbeat'), { connection: connection.id })
    expect([gone.status, gone.body.reason]).toEqual([410, 'meeting_ended'])
  })

  it('is not possible before it has begun, or when it was cancelled', async () => {
    const held = await planMeeting()
    await expectRefused(owner.post(held.at('/end')), 'invalid_transition')
    await owner.post(held.at('/cancel'))
    await expectRefused(owner.post(held.at('/end')), 'invalid_transition')
  })
})

describe('cancelling a meeting', () => {
  it('is not possible while it is live, or after', async () => {
    const held = await world.make.meeting({}, owner)
    await expectRefused(owner.post(held.at('/cancel')), 'invalid_transition')
    expect(await statusOf(held)).toBe('live')
    await owner.post(held.at('/end'))
    await expectRefused(owner.post(held.at('/cancel')), 'invalid_transition')
  })

  it('at the same moment as a start has one outcome', async () => {
    for (let round = 0; round < 20; round++) {
      const held = await planMeeting()
      const [started, cancelled] = await Promise.all([owner.post(held.at('/start')), owner.post(held.at('/cancel'))])
      expect([started.status, cancelled.status].sort()).toEqual([200, 409])
      expect(await statusOf(held)).toBe(started.status === 200 ? 'live' : 'cancelled')
      expect(await sessionsOf(held)).toHaveLength(started.status === 200 ? 1 : 0)
    }
  })
})

describe('time', async () => {
  /** Of their own, for their clock is turned far ahead. */
  const patient = await createWorld()
  const day_s = 24 * 3600

  async function pass(seconds: number): Promise<void> {
    patient.clock.advance(seconds)
    await patient.app.sweeper.tick()
  }

  async function endOf({ meeting }: Held): Promise<string | null> {
    const session = await patient.db('meeting_sessions').where({ meeting_id: meeting.id }).first()
    const { status } = await patient.db('meetings').where({ id: meeting.id }).first()
    expect(status).toBe(session.end_reason === null ? 'live' : 'ended')
    return session.end_reason
  }

  it('ends a meeting that began at once and that nobody came to, after a day', async () => {
    const held = await patient.make.meeting()
    expect(held.meeting.status).toBe('live')
    await pass(day_s - 1)
    expect(await endOf(held)).toBe(null)
    await pass(5)
    expect(await endOf(held)).toBe('empty')
  })

  it('ends a meeting five minutes after the last has left, and not if one has come back', async () => {
    const held = await patient.make.meeting()
    const { owner, at } = held
    await owner.post(at('/join'))
    await owner.post(at('/leave'))
    await pass(299)
    await owner.post(at('/join'))
    await pass(20)
    expect(await endOf(held)).toBe(null)
    await owner.post(at('/leave'))
    await pass(299)
    expect(await endOf(held)).toBe(null)
    await pass(5)
    expect(await endOf(held)).toBe('empty')
  })

  it('ends a meeting that was started and that nobody came to, after five minutes', async () => {
    const held = await patient.make.meeting({ scheduled_at: patient.clock.in(3600) })
    await held.owner.post(held.at('/start'))
    await pass(305)
    expect(await endOf(held)).toBe('empty')
  })

  it('ends a meeting that lasts as long as it may, whoever is inside', async () => {
    const held = await patient.make.meeting({ max_duration_minutes: 10 })
    const { owner, at } = held
    const { connection } = (await owner.post(at('/join'))).body
    for (let minute = 0; minute < 19; minute++) {
      await pass(30)
      await owner.post(at('/heartbeat'))
    }
    expect(await endOf(held)).toBe(null)
    await pass(30)
    expect(await endOf(held)).toBe('max_duration')
    const gone = await owner.post(at('/heartbeat'), { connection: connection.id })
    expect([gone.status, gone.body.reason]).toEqual([410, 'meeting_ended'])
  })

  it('ends a live meeting by what is said now of how long it may last, be it longer or less long', async () => {
    const [longer, shorter, forever] = [
      await patient.make.meeting({ max_duration_minutes: 10 }),
      await patient.make.meeting({ max_duration_minutes: 60 }),
      await patient.make.meeting({ max_duration_minutes: 10 }),
    ]
    await pass(60)
    for (const [held, max_duration_minutes] of [
      [longer, 30],
      [shorter, 5],
      [forever, null],
    ] as const) {
      expect((await held.owner.patch(held.at(), { max_duration_minutes })).body.max_duration_minutes).toBe(
        max_duration_minutes,
      )
    }
    const ends = async () => [await endOf(longer), await endOf(shorter), await endOf(forever)]
    await pass(3 * 60)
    expect(await ends()).toEqual([null, null, null])
    await pass(60)
    expect(await ends()).toEqual([null, 'max_duration', null])
    await pass(24 * 60)
    expect(await ends()).toEqual([null, 'max_duration', null])
    await pass(60)
    expect(await ends()).toEqual(['max_duration', 'max_duration', null])
    await pass(3600)
    expect(await ends()).toEqual(['max_duration', 'max_duration', null])
  })

  it('ends a meeting once, though two nodes look at it', async () => {
    const node = await patient.startNode()
    const held = await patient.make.meeting()
    await held.owner.post(held.at('/join'))
    await held.owner.post(held.at('/leave'))
    patient.clock.advance(305)
    await Promise.all([patient.app.sweeper.tick(), node.app.sweeper.tick(), held.owner.post(held.at('/end'))])
    const ended = await patient.db('events').where({ meeting_id: held.meeting.id, type: 'meeting.ended' })
    expect(ended).toHaveLength(1)
  })
})
