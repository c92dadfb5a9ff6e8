import { describe, expect, it } from 'vitest'
import type { ParticipantRow } from '../../src/features/meetings/participant-store.ts'
import type { AttendanceRow, ConnectionRow, SessionRow } from '../../src/features/presence/store.ts'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()
const visitor = await world.make.user()

type Guest = Awaited<ReturnType<typeof world.make.guest>>
type Call<Answer> = () => Promise<Answer>

const rounds = Array.from({ length: 50 }, (_, round) => round)

const makeMeeting = (body: object = {}) => world.make.meeting(body, owner)
const pathOf = (guest: Guest, { at }: Held, verb: string) => at(`/participants/${guest.participant.id}/${verb}`)

/** Both at once; now the one is sent first, now the other. */
async function race<One, Other>(round: number, one: Call<One>, other: Call<Other>): Promise<[One, Other]> {
  if (round % 2 === 0) return Promise.all([one(), other()])
  const [second, first] = await Promise.all([other(), one()])
  return [first, second]
}

async function admittedGuest(held: Held): Promise<Guest> {
  const guest = await world.make.guest(held)
  expect((await owner.post(pathOf(guest, held, 'admit'))).status).toBe(200)
  return guest
}

const eventsAbout = ({ participant }: Guest, type: string) =>
  world.db('events').where({ type }).where('data', 'like', `%${participant.id}%`)

async function stateOf({ participant }: Guest): Promise<string> {
  return (await world.db('meeting_participants').where({ id: participant.id }).first()).state
}

async function tablesOf({ meeting }: Held) {
  const meeting_id = meeting.id
  const [state, sessions, people, connections, attendances] = await Promise.all([
    world.db('meetings').where({ id: meeting_id }).first('status'),
    world.db<SessionRow>('meeting_sessions').where({ meeting_id }),
    world.db<ParticipantRow>('meeting_participants').where({ meeting_id }),
    world.db<ConnectionRow>('rtc_connections').where({ meeting_id }),
    world.db<AttendanceRow>('attendances').where({ meeting_id }),
  ])
  return { status: state.status, sessions, people, connections, attendances }
}

/** What is true of a meeting at any moment, by its tables and by what its host is shown. Answers who is inside. */
async function expectAgreement(held: Held): Promise<string[]> {
  const { status, sessions, people, connections, attendances } = await tablesOf(held)
  const [live, ...more] = sessions.filter(({ ended_at }) => ended_at === null)
  expect(more).toEqual([])
  expect(live?.live_meeting_id).toBe(status === 'live' ? held.meeting.id : undefined)
  for (const { ended_at, end_reason, live_meeting_id } of sessions) {
    expect([end_reason === null, live_meeting_id === null]).toEqual([ended_at === null, ended_at !== null])
  }

  const open = connections.filter(({ closed_at }) => closed_at === null)
  for (const { session_id } of open) expect(session_id).toBe(live?.id)
  expect(attendances).toHaveLength(connections.length)
  const spans = new Map(attendances.map(span => [span.id, span]))
  for (const { attendance_id, closed_at, close_reason, session_id, participant_id } of connections) {
    expect(spans.get(attendance_id)).toMatchObject({ session_id, participant_id, end_reason: close_reason })
    expect(spans.get(attendance_id)?.left_at === null).toBe(closed_at === null)
  }

  const inside = people.filter(({ state }) => state === 'inside').map(({ id }) => id)
  expect(inside.sort()).toEqual([...new Set(open.map(({ participant_id }) => participant_id))].sort())
  if (live) expect(live.empty_until === null).toBe(inside.length > 0)
  const { body } = await owner.get(held.at('/participants?state=inside&limit=100'))
  expect(body.data.map(({ id }: { id: string }) => id).sort()).toEqual(inside)
  return inside
}

async function expectOver(held: Held): Promise<void> {
  expect(await expectAgreement(held)).toEqual([])
  const { status, people } = await tablesOf(held)
  expect(status).toBe('ended')
  expect(people.filter(({ state }) => state !== 'away')).toEqual([])
}

describe('fifty times at the same moment', () => {
  it('a join and the end: the meeting is over, and nobody is inside', async () => {
    for (const round of rounds) {
      const held = await makeMeeting()
      await world.make.invitee(held, { user: visitor })
      const [joined, ended] = await race(
        round,
        () => visitor.post(held.at('/join')),
        () => owner.post(held.at('/end')),
      )
      expect(ended.status).toBe(200)
      expect([201, 409]).toContain(joined.status)
      if (joined.status === 409) expect(joined.body.code).toBe('meeting_over')
      await expectOver(held)
    }
  })

  it('a leave and the end: the meeting is over, and the span has ended once, for one reason', async () => {
    for (const round of rounds) {
      const held = await makeMeeting()
      const guest = await admittedGuest(held)
      await guest.post(held.at('/join'))
      const [left, ended] = await race(
        round,
        () => guest.post(held.at('/leave')),
        () => owner.post(held.at('/end')),
      )
      expect([left.status, ended.status]).toEqual([200, 200])
      expect(['left', 'meeting_ended']).toContain(left.body.attendance.end_reason)
      const { attendances } = await tablesOf(held)
      expect(attendances).toMatchObject([{ end_reason: left.body.attendance.end_reason }])
      await expectOver(held)
    }
  })

  it('a join and a removal: who is removed is out', async () => {
    const held = await makeMeeting()
    for (const round of rounds) {
      const guest = await admittedGuest(held)
      const [joined, removed] = await race(
        round,
        () => guest.post(held.at('/join')),
        () => owner.post(pathOf(guest, held, 'remove')),
      )
      expect(removed.status).toBe(200)
      // In and out again, or too late and therefore waiting.
      expect([201, 202]).toContain(joined.status)
      expect(await stateOf(guest)).toBe(joined.status === 201 ? 'removed' : 'waiting')
      expect(await eventsAbout(guest, 'participant.removed')).toHaveLength(1)
      expect(await expectAgreement(held)).toEqual([])
    }
  })

  it('a join and a ban: who is banned is out', async () => {
    const held = await makeMeeting()
    for (const round of rounds) {
      const guest = await admittedGuest(held)
      const [joined, banned] = await race(
        round,
        () => guest.post(held.at('/join')),
        () => owner.post(pathOf(guest, held, 'remove'), { ban: true }),
      )
      expect(banned.status).toBe(200)
      expect([201, 403]).toContain(joined.status)
      expect(await stateOf(guest)).toBe('banned')
      expect(await expectAgreement(held)).toEqual([])
    }
  })

  it('two hosts who let the same guest in: both have, and it happened once', async () => {
    const held = await makeMeeting()
    const second = await world.make.invitee(held, { user: visitor, role: 'co_host' })
    for (const round of rounds) {
      const guest = await world.make.guest(held)
      const path = pathOf(guest, held, 'admit')
      const replies = await race(
        round,
        () => owner.post(path),
        () => second.post(path),
      )
      expect(replies.map(({ status, body }) => [status, body.state])).toEqual([
        [200, 'admitted'],
        [200, 'admitted'],
      ])
      expect(await eventsAbout(guest, 'participant.admitted')).toHaveLength(1)
      await expectAgreement(held)
    }
  })

  it('a join and the withdrawal of the invitation: who is not invited is out', async () => {
    for (const round of rounds) {
      const held = await makeMeeting()
      const { invited } = await world.make.invitee(held, { user: visitor })
      const [joined, withdrawn] = await race(
        round,
        () => visitor.post(held.at('/join')),
        () => owner.delete(invited),
      )
      expect(withdrawn.status).toBe(204)
      expect([201, 404]).toContain(joined.status)
      expect(await expectAgreement(held)).toEqual([])
      const { attendances } = await tablesOf(held)
      expect(attendances.map(({ end_reason }) => end_reason)).toEqual(joined.status === 201 ? ['withdrawn'] : [])
    }
  })

  it('two joins in place of the same connection: it is replaced once, and they are inside once', async () => {
    for (const round of rounds) {
      const held = await makeMeeting()
      const guest = await admittedGuest(held)
      const { connection } = (await guest.post(held.at('/join'))).body
      const body = { replaces: { connection: connection.id, resume_token: connection.resume_token } }
      const join = () => guest.post(held.at('/join'), body)
      const replies = await race(round, join, join)
      expect(replies.map(({ status }) => status)).toEqual([201, 201])
      expect(await expectAgreement(held)).toEqual([guest.participant.id])
      const { connections } = await tablesOf(held)
      expect(connections.find(({ id }) => id === connection.id)?.close_reason).toBe('replaced')
      const told = await eventsAbout(guest, 'participant.left').where('data', 'like', `%${connection.id}%`)
      expect(told).toHaveLength(1)
    }
  })

  it('a heartbeat and the look for who is silent: who was told that they are inside is', async () => {
    // Of its own, for its clock goes on by half an hour.
    const { make, app, db, clock } = await createWorld()
    const { owner, meeting, at } = await make.meeting()
    const guest = await make.guest({ meeting })
    await owner.post(at('/lobby/admit-all'))
    for (const round of rounds) {
      const { id } = (await guest.post(at('/join'))).body.connection
      clock.advance(50)
      const beat = async () => {
        for (let turn = 0; turn < round % 12; turn++) await db.raw('SELECT 1') // to come now sooner, now later
        return guest.post(at('/heartbeat'), { connection: id })
      }
      const [, heard] = await Promise.all([app.sweeper.tick(), beat()])
      const { close_reason } = await db('rtc_connections').where({ id }).first()
      expect([heard.status, close_reason]).toEqual(heard.status === 200 ? [200, null] : [410, 'timeout'])
      await guest.post(at('/leave'), { connection: id })
    }
  })
})
