import { describe, expect, it } from 'vitest'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import { createWorld, type Person } from '../support/world.ts'

const world = await createWorld()
const { clock, db } = world
const mine = '/api/invitations'

const scheduled = () => world.make.meeting({ scheduled_at: clock.in(3600) })
const invite = (person: Person, at: (path: string) => string, ...invitees: object[]) =>
  person.post(at('/invitations'), { invitees })
const listed = async (person: Person, path: string): Promise<Invitation[]> => (await person.get(path)).body.data

describe('an invitation', () => {
  it('by account is in the list of the owner and of who is invited, pending', async () => {
    const { owner, meeting, at } = await scheduled()
    const invitee = await world.make.user()
    const message = 'Bring\ncake'
    const reply = await owner.post(at('/invitations'), { invitees: [{ user_id: invitee.user.id }], message })
    expect(reply.status).toBe(201)
    const [invitation] = reply.body.data
    expect(invitation).toMatchObject({
      meeting_id: meeting.id,
      user_id: invitee.user.id,
      email: null,
      role: 'participant',
      status: 'pending',
      message,
      note: null,
      sequence: 0,
      proposals: [],
      responded_at: null,
      meeting: { id: meeting.id, title: 'A meeting', owner_name: owner.user.name, sequence: 0 },
    })
    expect(await listed(owner, at('/invitations'))).toEqual([invitation])
    expect(await listed(invitee, mine)).toEqual([invitation])
    expect((await owner.get(`${mine}/${invitation.id}`)).body).toEqual(invitation)
    expect((await invitee.get(`${mine}/${invitation.id}`)).body).toEqual(invitation)
  })

  it('by address is for whoever has that address, in whatever case it is written', async () => {
    const { owner, at } = await scheduled()
    const grace = await world.make.user({ email: 'grace@example.com' })
    const reply = await invite(owner, at, { email: ' Grace@Example.COM ' }, { email: 'nobody@example.com' })
    expect(reply.body.data).toMatchObject([
      { user_id: grace.user.id, email: 'grace@example.com', status: 'pending' },
      { user_id: null, email: 'nobody@example.com', status: 'pending' },
    ])
    expect(await listed(grace, mine)).toMatchObject([{ id: reply.body.data[0].id }])
  })

  it('by account tells the owner nothing of the address, nor anybody else', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    await held.owner.post(held.at('/start'))
    const joined = await coHost.post(held.at('/join'), {})
    await invitee.post(held.at('/join'), {})
    const seen = [joined.body]
    for (const person of [held.owner, coHost, invitee]) {
      for (const path of [held.at(), held.at('/invitations'), held.at('/participants'), held.at('/attendance'), mine]) {
        const { body } = await person.get(path)
        seen.push(body)
      }
      seen.push((await person.get(held.at('/calendar.ics'))).text, (await person.get(invitee.invited)).body)
    }
    for (const { user } of [held.owner, coHost, invitee]) expect(JSON.stringify(seen)).not.toContain(user.email)
  })

  it('has the role that it says, or else the one that people usually have there', async () => {
    const roles = async (body: object, ...invitees: object[]) => {
      const { owner, at } = await world.make.meeting(body)
      return (await invite(owner, at, ...invitees)).body.data.map(({ role }: Invitation) => role)
    }
    const [a, b, c] = ['a', 'b', 'c'].map(name => ({ email: `${name}@example.com` }))
    const all = [a ?? {}, { ...b, role: 'co_host' }, { ...c, role: 'viewer' }]
    expect(await roles({}, ...all)).toEqual(['participant', 'co_host', 'viewer'])
    expect(await roles({ type: 'webinar' }, ...all)).toEqual(['viewer', 'co_host', 'viewer'])
    expect(await roles({ type: 'broadcast' }, { ...a, role: 'participant' })).toEqual(['participant'])
  })

  it('is given by the owner and by co-hosts who come', async () => {
    const held = await scheduled()
    const coHost = await world.make.invitee(held, { role: 'co_host' })
    const undecided = await world.make.invitee(held, { role: 'co_host', answer: 'none' })
    const participant = await world.make.invitee(held)
    const stranger = await world.make.user()
    const guest = { email: 'guest@example.com' }
    expect((await invite(undecided, held.at, guest)).body.code).toBe('hosts_only')
    expect((await invite(participant, held.at, guest)).body.code).toBe('hosts_only')
    expect((await invite(stranger, held.at, guest)).status).toBe(404)
    expect((await invite(coHost, held.at, guest)).status).toBe(201)
    expect((await participant.get(held.at('/invitations'))).body.code).toBe('hosts_only')
    expect((await stranger.get(held.at('/invitations'))).status).toBe(404)
    expect((await stranger.get(participant.invited)).status).toBe(404)
    expect((await participant.get(coHost.invited)).status).toBe(404)
    expect((await coHost.get(participant.invited)).status).toBe(200)
  })

  it('is not given when the meeting is over', async () => {
    const { owner, at } = await world.make.meeting()
    await owner.post(at('/end'))
    const reply = await invite(owner, at, { email: 'late@example.com' })
    expect(reply.status).toBe(409)
    expect(reply.body.code).toBe('meeting_over')
  })

  it('is for nobody who is not there, nor for oneself; one wrong name and nobody is invited', async () => {
    const { owner, at } = await scheduled()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const good = { email: 'good@example.com' }
    for (const wrong of [
      { user_id: 'usr_nobody' },
      { user_id: foreigner.user.id },
      { user_id: owner.user.id },
      { email: owner.user.email.toUpperCase() },
    ]) {
      const reply = await invite(owner, at, good, wrong)
      expect(reply.status, JSON.stringify(wrong)).toBe(422)
      expect(reply.body.errors).toMatchObject([{ path: 'invitees.1' }])
    }
    expect(await listed(owner, at('/invitations'))).toEqual([])
    expect(await listed(foreigner, mine)).toEqual([])
  })

  it.each([
    ['nobody', []],
    ['more than fifty at once', Array.from({ length: 51 }, (_, i) => ({ email: `p${i}@example.com` }))],
    ['no name', [{}]],
    ['two names for one', [{ email: 'a@example.com', user_id: 'usr_a' }]],
    ['no address', [{ email: 'ada' }]],
    ['two addresses in one', [{ email: 'a@example.com, b@example.com' }]],
    ['a host', [{ email: 'a@example.com', role: 'host' }]],
    ['an unknown member', [{ email: 'a@example.com', name: 'Ada' }]],
  ])('is refused for %s', async (_, invitees) => {
    const { owner, at } = await scheduled()
    const reply = await owner.post(at('/invitations'), { invitees })
    expect(reply.status).toBe(422)
    expect(reply.body.errors[0].path).toMatch(/^invitees/)
  })
})

describe('somebody who is invited twice', () => {
  /** How many rows there are of each kind. */
  async function rows(meeting_id: string) {
    const invitations = await db('invitations').where({ meeting_id })
    const people = await db('meeting_participants').where({ meeting_id, relation: 'invitee' })
    const mails = await db('mails').whereIn(
      'to_address',
      invitations.map(({ address }) => address),
    )
    return { invitations: invitations.length, people: people.length, mails: mails.length }
  }
  const once = { invitations: 1, people: 1, mails: 1 }

  it('has one invitation, with what was answered, and the newer role', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held)
    const reply = await invite(held.owner, held.at, { user_id: invitee.user.id, role: 'co_host' })
    expect(reply.status).toBe(201)
    expect(reply.body.data).toMatchObject([{ id: invitee.invitation.id, role: 'co_host', status: 'accepted' }])
    expect(await rows(held.meeting.id)).toEqual(once)
    expect((await invitee.post(held.at('/lock'))).status).toBe(200)
  })

  it('in one request has one invitation', async () => {
    const held = await scheduled()
    const { user } = await world.make.user()
    const reply = await invite(held.owner, held.at, { email: user.email }, { user_id: user.id }, { email: user.email })
    expect(reply.status).toBe(201)
    expect(new Set(reply.body.data.map(({ id }: Invitation) => id)).size).toBe(1)
    expect(await rows(held.meeting.id)).toEqual(once)
  })

  it('by account and by address has one invitation, whichever came first', async () => {
    for (const turn of [0, 1]) {
      const held = await scheduled()
      const { user } = await world.make.user()
      const names = [{ user_id: user.id }, { email: user.email }]
      const first = await invite(held.owner, held.at, names[turn] ?? {})
      const second = await invite(held.owner, held.at, names[1 - turn] ?? {})
      expect(second.body.data[0].id).toBe(first.body.data[0].id)
      expect(await rows(held.meeting.id)).toEqual(once)
    }
  })

  it.each([
    ['by account', (user: Person['user']) => () => ({ user_id: user.id })],
    ['by address', () => () => ({ email: 'somebody@example.com' })],
    ['by either', (user: Person['user']) => (i: number) => (i % 2 ? { user_id: user.id } : { email: user.email })],
  ])('twenty times at once %s has one invitation', async (_, nameOf) => {
    const held = await scheduled()
    const { user } = await world.make.user()
    const name = nameOf(user)
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => invite(held.owner, held.at, name(i))))
    for (const { status } of replies) expect(status).toBe(201)
    expect(new Set(replies.map(({ body }) => body.data[0].id)).size).toBe(1)
    expect(await rows(held.meeting.id)).toMatchObject({ invitations: 1, people: 1 })
    const mails = await db('mails').where('dedupe_key', 'like', `${replies[0]?.body.data[0].id}%`)
    expect(mails).toHaveLength(1)
  })
})

describe('a list of invitations', () => {
  async function pages(person: Person, path: string): Promise<string[]> {
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const reply = await person.get(`${path}?limit=2${cursor && `&cursor=${cursor}`}`)
      expect(reply.body.data.length).toBeLessThanOrEqual(2)
      ids.push(...reply.body.data.map(({ id }: Invitation) => id))
      cursor = reply.body.next_cursor
    }
    return ids
  }

  it('of a meeting is read page by page, in the order of their making', async () => {
    const { owner, at } = await scheduled()
    const names = Array.from({ length: 7 }, (_, i) => ({ email: `guest${i}@example.com` }))
    const made = (await invite(owner, at, ...names)).body.data.map(({ id }: Invitation) => id)
    expect(await pages(owner, at('/invitations'))).toEqual(made)
  })

  it('of mine is read page by page, the latest first, and has what I was asked', async () => {
    const invitee = await world.make.user()
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      if (i % 2) clock.advance(1)
      made.unshift((await world.make.invitee(await scheduled(), { user: invitee, answer: 'none' })).invitation.id)
    }
    expect(await pages(invitee, mine)).toEqual(made)
  })

  it('can be chosen by their status', async () => {
    const held = await scheduled()
    const yes = await world.make.invitee(held)
    const no = await world.make.invitee(held, { answer: 'reject' })
    const withdrawn = await world.make.invitee(held)
    await held.owner.delete(withdrawn.invited)
    const ids = async (person: Person, path: string) => (await listed(person, path)).map(({ id }) => id)
    expect(await ids(held.owner, held.at('/invitations?status=accepted'))).toEqual([yes.invitation.id])
    expect(await ids(held.owner, held.at('/invitations?status=rejected'))).toEqual([no.invitation.id])
    expect(await ids(held.owner, held.at('/invitations?status=withdrawn'))).toEqual([withdrawn.invitation.id])
    expect(await ids(held.owner, held.at('/invitations?status=pending'))).toEqual([])
    expect(await ids(yes, `${mine}?status=accepted`)).toEqual([yes.invitation.id])
    expect(await ids(yes, `${mine}?status=pending`)).toEqual([])
    expect(await ids(withdrawn, mine)).toEqual([])
    expect(await ids(withdrawn, `${mine}?status=withdrawn`)).toEqual([])
    for (const query of ['status=maybe', 'sort=id', 'cursor=nonsense', 'limit=0']) {
      expect((await yes.get(`${mine}?${query}`)).status).toBe(422)
      expect((await held.owner.get(held.at(`/invitations?${query}`))).status).toBe(422)
    }
  })
})
