import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { clock, db } = world
const scheduled = () => world.make.meeting({ scheduled_at: clock.in(3600) })

/** What two tables say of one invitation: where it stands, what its person may do, and where they are. */
async function standing(invitation_id: string) {
  const { status } = await db('invitations').where({ id: invitation_id }).first()
  const { may, state } = await db('meeting_participants').where({ invitation_id }).first()
  return { status, may, state }
}

describe('a withdrawn invitation', () => {
  it('is none: it cannot be read or answered, and its meeting is gone', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    expect((await held.owner.delete(invitee.invited)).status).toBe(204)
    for (const reply of [
      await invitee.get(invitee.invited),
      await invitee.post(`${invitee.invited}/accept`),
      await invitee.post(`${invitee.invited}/reject`),
      await invitee.post(`${invitee.invited}/propose`, { scheduled_at: clock.in(7200) }),
      await invitee.get(held.at()),
      await invitee.get(held.at('/calendar.ics')),
      await invitee.post(held.at('/join'), {}),
    ]) {
      expect(reply.status).toBe(404)
    }
    expect((await invitee.get('/api/invitations')).body.data).toEqual([])
    expect(await standing(invitee.invitation.id)).toEqual({ status: 'withdrawn', may: 'nothing', state: 'away' })
    expect((await held.owner.get(invitee.invited)).body.status).toBe('withdrawn')
  })

  it('is withdrawn once, however often that is said, and its proposal with it', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held, { answer: 'none' })
    await invitee.post(`${invitee.invited}/propose`, { scheduled_at: clock.in(7200) })
    const replies = await Promise.all(Array.from({ length: 5 }, () => held.owner.delete(invitee.invited)))
    for (const { status } of replies) expect(status).toBe(204)
    const first = (await held.owner.get(invitee.invited)).body
    expect(first).toMatchObject({ status: 'withdrawn', proposals: [{ status: 'superseded' }] })
    clock.advance(1)
    await held.owner.delete(invitee.invited)
    expect((await held.owner.get(invitee.invited)).body).toEqual(first)
    const events = await db('events').where({ type: 'invitation.withdrawn', meeting_id: held.meeting.id })
    expect(events).toHaveLength(1)
  })

  it('leaves nobody in the list of who belongs to the meeting', async () => {
    const held = await world.make.meeting()
    const [gone, stays] = [await world.make.invitee(held), await world.make.invitee(held)]
    const listed = async (query = '') => {
      const { data } = (await held.owner.get(held.at(`/participants${query}`))).body
      return data.map(({ user_id }: { user_id: string }) => user_id).sort()
    }
    const [owner_id, gone_id, stays_id] = [held.owner, gone, stays].map(({ user }) => user.id)
    expect(await listed()).toEqual([owner_id, gone_id, stays_id].sort())
    await held.owner.delete(gone.invited)
    expect(await listed()).toEqual([owner_id, stays_id].sort())
    expect(await listed('?state=away')).toEqual([owner_id, stays_id].sort())
    await world.make.invitee(held, { user: gone })
    expect(await listed()).toEqual([owner_id, gone_id, stays_id].sort())
  })

  it('puts out who is inside, on every device', async () => {
    const held = await world.make.meeting()
    const invitee = await world.make.invitee(held)
    for (const name of ['laptop', 'telephone']) await invitee.post(held.at('/join'), { device: name })
    clock.advance(30)
    await held.owner.delete(invitee.invited)

    const { data } = (await held.owner.get(held.at('/attendance'))).body
    const out = { end_reason: 'withdrawn', left_at: clock.now() }
    expect(data).toMatchObject([
      { device: 'laptop', ...out },
      { device: 'telephone', ...out },
    ])
    expect((await held.owner.post(held.at('/join'), {})).body.roster).toEqual([])
    expect((await invitee.post(held.at('/heartbeat'), {})).status).not.toBe(200)
    expect((await invitee.post(held.at('/join'), {})).status).toBe(404)
    expect(await standing(invitee.invitation.id)).toEqual({ status: 'withdrawn', may: 'nothing', state: 'away' })
  })

  it('puts out who waits', async () => {
    const held = await world.make.meeting({ lobby: true })
    const invitee = await world.make.invitee(held)
    expect((await invitee.post(held.at('/join'), {})).status).toBe(202)
    await held.owner.delete(invitee.invited)
    expect((await held.owner.get(held.at('/participants?state=waiting'))).body.data).toEqual([])
    expect((await invitee.post(held.at('/join'), {})).status).toBe(404)
  })

  it('given again is pending, and brings back no right of before', async () => {
    const held = await world.make.meeting()
    const invitee = await world.make.invitee(held, { role: 'co_host' })
    await invitee.post(held.at('/join'), {})
    await held.owner.delete(invitee.invited)
    const again = await world.make.invitee(held, { user: invitee, role: 'participant', answer: 'none' })
    expect(again.invitation).toMatchObject({
      id: invitee.invitation.id,
      status: 'pending',
      role: 'participant',
      note: null,
      responded_at: null,
    })
    const refused = await invitee.post(held.at('/join'), {})
    expect(refused.status).toBe(403)
    expect(refused.body.code).toBe('not_accepted')
    expect((await invitee.post(held.at('/lock'))).body.code).toBe('hosts_only')
    expect((await invitee.post(`${invitee.invited}/accept`)).status).toBe(200)
    expect((await invitee.post(held.at('/join'), {})).body.role).toBe('participant')
  })

  it('is for hosts and co-hosts to withdraw', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    const other = await world.make.invitee(held)
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    expect((await invitee.delete(invitee.invited)).body.code).toBe('hosts_only')
    expect((await other.delete(invitee.invited)).status).toBe(404)
    expect((await foreigner.delete(invitee.invited)).status).toBe(404)
    expect((await held.owner.delete('/api/invitations/inv_unknown')).status).toBe(404)
    expect((await standing(invitee.invitation.id)).status).toBe('accepted')
    expect((await coHost.delete(invitee.invited)).status).toBe(204)
  })
})

describe('a withdrawal', () => {
  it('and an acceptance at the same moment, fifty times, leave one outcome', async () => {
    const owner = await world.make.user()
    const invitee = await world.make.user()
    const asked = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const held = await world.make.meeting({ scheduled_at: clock.in(3600) }, owner)
        return world.make.invitee(held, { user: invitee, answer: 'none' })
      }),
    )
    const answers = await Promise.all(
      asked.map(async ({ invited }, i) => {
        // Neither is always the first to be sent.
        const accept = () => invitee.post(`${invited}/accept`)
        const withdraw = () => owner.delete(invited)
        const [one, other] = i % 2 ? [accept(), withdraw()] : [withdraw(), accept()]
        return (await Promise.all([one, other])).map(({ status }) => status).sort()
      }),
    )
    for (const statuses of answers) expect([200, 404]).toContain(statuses.find(status => status !== 204))
    for (const { invitation } of asked) {
      expect(await standing(invitation.id)).toEqual({ status: 'withdrawn', may: 'nothing', state: 'away' })
    }
    expect((await invitee.get('/api/invitations')).body.data).toEqual([])
  })

  it('and a new invitation at the same moment agree in every table', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const held = await scheduled()
      const invitee = await world.make.invitee(held)
      const [withdrawn, again] = await Promise.all([
        held.owner.delete(invitee.invited),
        held.owner.post(held.at('/invitations'), { invitees: [{ user_id: invitee.user.id }] }),
      ])
      expect([withdrawn.status, again.status]).toEqual([204, 201])
      const { status, may } = await standing(invitee.invitation.id)
      return `${status} ${may}`
    })
    for (const outcome of await Promise.all(rounds)) expect(['withdrawn nothing', 'pending see']).toContain(outcome)
  })

  it('while one comes in leaves nobody inside', async () => {
    const rounds = Array.from({ length: 10 }, async () => {
      const held = await world.make.meeting()
      const invitee = await world.make.invitee(held)
      const [joined] = await Promise.all([invitee.post(held.at('/join'), {}), held.owner.delete(invitee.invited)])
      expect([201, 404]).toContain(joined.status)
      expect(await standing(invitee.invitation.id)).toEqual({ status: 'withdrawn', may: 'nothing', state: 'away' })
      expect(await db('rtc_connections').where({ meeting_id: held.meeting.id }).whereNull('closed_at')).toEqual([])
    })
    await Promise.all(rounds)
  })
})
