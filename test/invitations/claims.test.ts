import { describe, expect, it } from 'vitest'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import { createWorld, PASSWORD, type Person, type World } from '../support/world.ts'

const world = await createWorld()
const strict = await createWorld({ REQUIRE_VERIFIED_EMAIL: 'on' })
const { clock } = world
const scheduled = ({ make, clock }: World = world) => make.meeting({ scheduled_at: clock.in(3600) })

const register = ({ anyone }: World, email: string) =>
  anyone.post('/api/auth/register', { email, name: 'Newcomer', password: PASSWORD })
const inviteAddress = ({ owner, at }: Awaited<ReturnType<typeof scheduled>>, email: string) =>
  owner.post(at('/invitations'), { invitees: [{ email }] })
const mine = async (person: Person): Promise<Invitation[]> => (await person.get('/api/invitations')).body.data

/** The job that looks for what registering has missed. */
async function lookAgain({ clock, app }: World): Promise<void> {
  clock.advance(61)
  await app.sweeper.tick()
}

describe('invitations to an address', () => {
  it('belong to the account that is made with it, whatever the case of its letters', async () => {
    const meetings = [await scheduled(), await scheduled()]
    for (const held of meetings) await inviteAddress(held, 'Claire@EXAMPLE.com')
    const me = world.make.caller((await register(world, 'CLAIRE@example.COM')).body)

    const claimed = await mine(me)
    expect(claimed.map(({ meeting_id }) => meeting_id).sort()).toEqual(meetings.map(({ meeting }) => meeting.id).sort())
    for (const { id, user_id, email, status } of claimed) {
      expect({ user_id, email, status }).toEqual({
        user_id: me.user.id,
        email: 'claire@example.com',
        status: 'pending',
      })
      expect((await me.post(`/api/invitations/${id}/accept`)).body.status).toBe('accepted')
    }
    const [held] = meetings
    expect(await me.get('/api/meetings').then(({ body }) => body.data)).toHaveLength(2)
    await held?.owner.post(held.at('/start'))
    const joined = await me.post(held?.at('/join') ?? '', {})
    expect(joined.body.participant).toMatchObject({ user_id: me.user.id, display_name: 'Newcomer' })
  })

  it('are about the time that the meeting has by then', async () => {
    const held = await scheduled()
    await inviteAddress(held, 'early@example.com')
    await held.owner.patch(held.at(), { scheduled_at: clock.in(7200) })
    const me = world.make.caller((await register(world, 'early@example.com')).body)
    expect(await mine(me)).toMatchObject([{ status: 'pending', sequence: 1 }])
  })

  it('stay withdrawn, and another tenant’s stay there', async () => {
    const held = await scheduled()
    const { data } = (await inviteAddress(held, 'unwanted@example.com')).body
    await held.owner.delete(`/api/invitations/${data[0].id}`)
    const tenant_id = await world.make.tenant('abroad')
    await inviteAddress(held, 'traveller@example.com')
    const unwanted = world.make.caller((await register(world, 'unwanted@example.com')).body)
    const foreigner = await world.make.user({ email: 'traveller@example.com', tenant_id })
    await lookAgain(world)
    for (const person of [unwanted, foreigner]) {
      expect(await mine(person)).toEqual([])
      expect((await person.get(held.at())).status).toBe(404)
    }
  })

  it('belong to the account that is made at the same moment', async () => {
    const held = await scheduled()
    const rounds = Array.from({ length: 20 }, async (_, i) => {
      const email = `twin${i}@example.com`
      const [registered, invited] = await Promise.all([register(world, email), inviteAddress(held, email)])
      expect([registered.status, invited.status]).toEqual([201, 201])
      return { me: world.make.caller(registered.body), id: invited.body.data[0].id }
    })
    const twins = await Promise.all(rounds)
    await lookAgain(world)
    for (const { me, id } of twins) {
      expect(await mine(me)).toMatchObject([{ id, user_id: me.user.id }])
      expect((await me.post(`/api/invitations/${id}/accept`)).status).toBe(200)
    }
    expect(await world.db('meeting_participants').where({ meeting_id: held.meeting.id })).toHaveLength(21)
  })
})

describe('where an address has to be proved', () => {
  it('an invitation to it belongs to nobody who merely registers with it', async () => {
    const held = await scheduled(strict)
    const known = await strict.make.user()
    await inviteAddress(held, known.user.email)
    const { id } = (await inviteAddress(held, 'later@example.com')).body.data[0]
    const later = strict.make.caller((await register(strict, 'later@example.com')).body)
    await lookAgain(strict)
    for (const person of [known, later]) {
      expect(await mine(person)).toEqual([])
      expect((await person.get(held.at())).status).toBe(404)
      expect((await person.post(`/api/invitations/${id}/accept`)).status).toBe(404)
    }
    const { data } = (await held.owner.get(held.at('/invitations'))).body
    expect(data.map(({ user_id }: Invitation) => user_id)).toEqual([null, null])
  })

  it('who is invited by address and then by account has it, and can come', async () => {
    const held = await scheduled(strict)
    const invitee = await strict.make.user()
    await inviteAddress(held, invitee.user.email)
    const { invited } = await strict.make.invitee(held, { user: invitee })
    expect((await invitee.get(invited)).body).toMatchObject({ user_id: invitee.user.id, status: 'accepted' })
    await held.owner.post(held.at('/start'))
    expect((await invitee.post(held.at('/join'), {})).status).toBe(201)
  })

  it('who was invited by address, withdrawn, and then is invited by account has it, and can come', async () => {
    const held = await scheduled(strict)
    const invitee = await strict.make.user()
    const { data } = (await inviteAddress(held, invitee.user.email)).body
    await held.owner.delete(`/api/invitations/${data[0].id}`)
    const { invited } = await strict.make.invitee(held, { user: invitee })
    expect((await invitee.get(invited)).body).toMatchObject({ user_id: invitee.user.id, status: 'accepted' })
    await held.owner.post(held.at('/start'))
    expect((await invitee.post(held.at('/join'), {})).status).toBe(201)
  })
})
