import { describe, expect, it } from 'vitest'
import type { ParticipantRow } from '../../src/features/meetings/participant-store.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { clock, db } = world
const hours = (count: number) => clock.in(count * 3600)
const scheduled = () => world.make.meeting({ scheduled_at: hours(1) })

/** What the person of an invitation may do in its meeting. */
async function rightOf(invitation_id: string): Promise<ParticipantRow['may']> {
  const { may } = await db('meeting_participants').where({ invitation_id }).first()
  return may
}

describe('an answer', () => {
  it('decides who may join, and can be changed until the meeting is over', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held, { answer: 'none' })
    await held.owner.post(held.at('/start'))
    const join = async () => (await invitee.post(held.at('/join'), {})).body.code ?? 'inside'
    const say = async (answer: string) => {
      clock.advance(1)
      const reply = await invitee.post(`${invitee.invited}/${answer}`, { note: `I ${answer}` })
      expect(reply.status).toBe(200)
      expect(reply.body).toMatchObject({ note: `I ${answer}`, responded_at: clock.now() })
      expect((await held.owner.get(invitee.invited)).body).toEqual(reply.body)
      return reply.body.status
    }
    expect(await join()).toBe('not_accepted')
    for (let round = 0; round < 2; round++) {
      expect(await say('accept')).toBe('accepted')
      expect(await join()).toBe('inside')
      expect(await say('reject')).toBe('rejected')
      expect(await join()).toBe('not_accepted')
    }
    await held.owner.post(held.at('/end'))
    for (const answer of ['accept', 'reject']) {
      const late = await invitee.post(`${invitee.invited}/${answer}`)
      expect(late.status).toBe(409)
      expect(late.body.code).toBe('meeting_over')
    }
    expect((await invitee.get(invitee.invited)).body.status).toBe('rejected')
  })

  it('given again changes nothing', async () => {
    const invitee = await world.make.invitee(await scheduled(), { answer: 'none' })
    for (const answer of ['accept', 'reject']) {
      const first = await invitee.post(`${invitee.invited}/${answer}`, { note: 'Well' })
      clock.advance(1)
      expect((await invitee.post(`${invitee.invited}/${answer}`)).body).toEqual(first.body)
      expect((await invitee.post(`${invitee.invited}/${answer}`, { note: 'Well' })).body).toEqual(first.body)
    }
  })

  it('is nobody else’s to give', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held, { answer: 'none' })
    const other = await world.make.invitee(held)
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const guest = await world.make.guest(held)
    for (const answer of ['accept', 'reject', 'propose']) {
      const body = answer === 'propose' ? { scheduled_at: hours(2) } : {}
      const as = async (person: { post: typeof guest.post }) =>
        (await person.post(`${invitee.invited}/${answer}`, body)).status
      expect(await Promise.all([held.owner, other, foreigner, guest, world.anyone].map(as))).toEqual([
        403, 404, 404, 403, 401,
      ])
    }
    expect((await held.owner.post(`${invitee.invited}/accept`)).body.code).toBe('invitee_only')
    expect((await invitee.get(invitee.invited)).body.status).toBe('pending')
  })

  it('about an older time is refused, and about a time to come, too', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held, { answer: 'none' })
    await held.owner.patch(held.at(), { scheduled_at: hours(2) })
    for (const answer of ['accept', 'reject', 'propose']) {
      const body = answer === 'propose' ? { scheduled_at: hours(3) } : {}
      const stale = await invitee.post(`${invitee.invited}/${answer}`, { ...body, sequence: 0 })
      expect(stale.status).toBe(409)
      expect(stale.body.code).toBe('stale_sequence')
      const early = await invitee.post(`${invitee.invited}/${answer}`, { ...body, sequence: 2 })
      expect(early.status).toBe(422)
      expect(early.body.errors).toMatchObject([{ path: 'sequence' }])
    }
    expect((await invitee.get(invitee.invited)).body.status).toBe('pending')
    const reply = await invitee.post(`${invitee.invited}/accept`, { sequence: 1 })
    expect(reply.body).toMatchObject({ status: 'accepted', sequence: 1 })
  })

  it('to a move that happens at the same moment is about the one time or the other', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const held = await scheduled()
      const invitee = await world.make.invitee(held, { answer: 'none' })
      const [accepted] = await Promise.all([
        invitee.post(`${invitee.invited}/accept`, { sequence: 0 }),
        held.owner.patch(held.at(), { scheduled_at: hours(2) }),
      ])
      expect([200, 409]).toContain(accepted.status)
      expect((await invitee.get(invitee.invited)).body).toMatchObject({ status: 'pending', sequence: 1 })
      expect(await rightOf(invitee.invitation.id)).toBe('see')
    })
    await Promise.all(rounds)
  })

  it('of no puts out who is inside', async () => {
    const held = await world.make.meeting()
    const invitee = await world.make.invitee(held)
    const { connection } = (await invitee.post(held.at('/join'), {})).body
    expect((await invitee.post(`${invitee.invited}/reject`)).body.status).toBe('rejected')

    const heartbeat = await invitee.post(held.at('/heartbeat'), { connection: connection.id })
    expect(heartbeat.status).toBe(410)
    expect(heartbeat.body).toMatchObject({ code: 'connection_closed', reason: 'left' })
    const { data } = (await held.owner.get(held.at('/attendance'))).body
    expect(data).toMatchObject([{ end_reason: 'left', left_at: clock.now() }])
    expect((await invitee.post(held.at('/join'), {})).body.code).toBe('not_accepted')
  })

  it('of yes and of no at once agrees with what one may', async () => {
    const invitee = await world.make.user()
    const rounds = Array.from({ length: 20 }, async () => {
      const { invitation, invited } = await world.make.invitee(await scheduled(), { user: invitee, answer: 'none' })
      const replies = await Promise.all([invitee.post(`${invited}/accept`), invitee.post(`${invited}/reject`)])
      for (const { status } of replies) expect(status).toBe(200)
      const { status } = (await invitee.get(invited)).body
      return `${status} ${await rightOf(invitation.id)}`
    })
    for (const outcome of await Promise.all(rounds)) expect(['accepted join', 'rejected see']).toContain(outcome)
  })

  it.each([
    ['colour', { colour: 'red' }],
    ['note', { note: 'x'.repeat(1001) }],
    ['sequence', { sequence: -1 }],
    ['sequence', { sequence: '0' }],
  ])('is refused for a wrong %s: %#', async (path, body) => {
    const invitee = await world.make.invitee(await scheduled(), { answer: 'none' })
    const reply = await invitee.post(`${invitee.invited}/accept`, body)
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toMatchObject([{ path }])
  })
})
