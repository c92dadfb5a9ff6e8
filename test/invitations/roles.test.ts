import { describe, expect, it } from 'vitest'
import { createWorld, type Person } from '../support/world.ts'

const world = await createWorld()

/** A live meeting, and somebody invited to it; `roles` are what their invitation and their place in it say. */
async function withInvitee(role?: string) {
  const held = await world.make.meeting()
  const invitee = await world.make.invitee(held, { role })
  const { owner, at } = held
  const { id } = await world.db('meeting_participants').where({ invitation_id: invitee.invitation.id }).first('id')
  return {
    ...held,
    invitee,
    give: (role: string) => owner.post(at(`/participants/${id}/role`), { role }),
    invite: (role?: string) => owner.post(at('/invitations'), { invitees: [{ user_id: invitee.user.id, role }] }),
    roles: async () => {
      const { data } = (await owner.get(at('/participants'))).body
      const listed = data.find((person: { id: string }) => person.id === id)
      return [(await owner.get(invitee.invited)).body.role, listed?.role]
    },
  }
}

const joinedAs = async (person: Person, at: (path: string) => string) => (await person.post(at('/join'))).body.role

describe('the role of who is invited', () => {
  it('that a host has changed is that of their invitation, too', async () => {
    const { give, roles, invitee } = await withInvitee()
    for (const role of ['co_host', 'viewer', 'participant']) {
      expect((await give(role)).body.role).toBe(role)
      expect(await roles()).toEqual([role, role])
      expect((await invitee.get('/api/invitations')).body.data).toMatchObject([{ role }])
    }
  })

  it('is that of the new invitation, once the old one is withdrawn', async () => {
    const { owner, at, give, invite, roles, invitee } = await withInvitee('participant')
    await give('co_host')
    await owner.delete(invitee.invited)
    expect((await invite('participant')).body.data).toMatchObject([{ role: 'participant', status: 'pending' }])
    expect(await roles()).toEqual(['participant', 'participant'])
    await invitee.post(`${invitee.invited}/accept`)
    expect(await joinedAs(invitee, at)).toBe('participant')
    expect((await invitee.post(at('/lock'))).body.code).toBe('hosts_only')
  })

  it('is one, whoever gave it last: a host, or who invites them again', async () => {
    const { at, give, invite, roles, invitee } = await withInvitee('participant')
    await give('co_host')
    expect((await invite('participant')).body.data).toMatchObject([{ role: 'participant', status: 'accepted' }])
    expect(await roles()).toEqual(['participant', 'participant'])
    await give('viewer')
    expect((await invite('co_host')).body.data).toMatchObject([{ role: 'co_host' }])
    expect(await roles()).toEqual(['co_host', 'co_host'])
    await give('viewer')
    expect((await invite()).body.data).toMatchObject([{ role: 'viewer' }])
    expect(await roles()).toEqual(['viewer', 'viewer'])
    expect(await joinedAs(invitee, at)).toBe('viewer')
  })

  it('stays as it is while they are inside, though they are invited again as something else', async () => {
    const { at, give, invite, roles, invitee } = await withInvitee('participant')
    expect(await joinedAs(invitee, at)).toBe('participant')
    await give('viewer')
    expect((await invite('co_host')).body.data).toMatchObject([{ role: 'viewer' }])
    expect(await roles()).toEqual(['viewer', 'viewer'])
  })

  it('in a quick room is that of who was there before, while they are inside', async () => {
    const [host, member] = [await world.make.user(), await world.make.user()]
    const enter = (person: typeof host) => person.post('/api/rooms/roles/enter', { display_name: 'Somebody' })
    const { meeting_id } = (await enter(host)).body.session
    await enter(member)
    const invitees = [{ user_id: member.user.id, role: 'co_host' }]
    const [invitation] = (await host.post(`/api/meetings/${meeting_id}/invitations`, { invitees })).body.data
    expect(invitation.role).toBe('participant')
    const late = await member.post(`/api/invitations/${invitation.id}/propose`, { scheduled_at: world.clock.in(3600) })
    expect([late.status, late.body.code]).toEqual([409, 'invalid_transition'])
    expect((await enter(member)).body.role).toBe('participant')
  })

  it('that was changed is told as an event, whoever changes it', async () => {
    const { meeting, invite, give } = await withInvitee('participant')
    await give('co_host')
    await invite('viewer')
    await invite('viewer')
    const events = await world.db('events').where({ meeting_id: meeting.id, type: 'participant.role_changed' })
    expect(events.map(({ data }) => JSON.parse(data).role).sort()).toEqual(['co_host', 'viewer'])
  })
})
