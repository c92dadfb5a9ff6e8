import { describe, expect, it } from 'vitest'
import { demoOwner, demoPassword, seed } from '../../seeds/demo.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import type { Meeting } from '../../src/features/meetings/schema.ts'
import { hashSecret } from '../../src/kernel/ids.ts'
import { engine } from '../support/database.ts'
import { linkIn, startSmtp } from '../support/smtp.ts'
import { createWorld } from '../support/world.ts'

const smtp = await startSmtp()
// An address is proved by its link, and by nothing else.
const world = await createWorld({ SMTP_URL: smtp.url, REQUIRE_VERIFIED_EMAIL: 'on' })
const { clock, db, anyone } = world
let addresses = 0

/** Somebody without an account is invited, and has the letter. */
async function invited(body: object = { scheduled_at: clock.in(3600) }) {
  const held = await world.make.meeting(body)
  const email = `guest${++addresses}@example.com`
  const invite = () => held.owner.post(held.at('/invitations'), { invitees: [{ email }] })
  const [invitation] = (await invite()).body.data
  return { ...held, email, invite, invitation, invited: `/api/invitations/${invitation.id}`, link: await linkTo(email) }
}

/** The link in the latest letter to that address. */
async function linkTo(address: string): Promise<string> {
  clock.advance(5)
  await world.app.mailSweeper.tick()
  const letter = smtp.arrivals.findLast(({ to }) => to.includes(address))?.letter
  const link = linkIn(letter?.text)
  if (link === undefined) throw new Error(`No link to ${address}`)
  return link
}

const withToken = (participant_token: string) =>
  anyone.with({ headers: { Authorization: `Bearer ${participant_token}` } })

describe('the link of a mail', () => {
  it('shows the invitation to who has no account', async () => {
    const { link, owner, invited: path } = await invited()
    const reply = await anyone.get(link)
    expect(reply.status).toBe(200)
    expect(reply.body).toEqual((await owner.get(path)).body)
    expect(reply.body).toMatchObject({ status: 'pending', user_id: null, meeting: { title: 'A meeting' } })
  })

  it('accepts, and gives a token that joins', async () => {
    const { link, owner, at, email } = await invited()
    const reply = await anyone.post(`${link}/accept`, { display_name: 'Gustav', note: 'Gladly', sequence: 0 })
    expect(reply.status).toBe(200)
    expect(reply.body.invitation).toMatchObject({ status: 'accepted', note: 'Gladly', user_id: null })
    const guest = withToken(reply.body.participant_token)
    expect((await guest.get(at())).status).toBe(200)
    expect((await guest.post(at('/join'), {})).body.code).toBe('not_live')
    await owner.post(at('/start'))
    const joined = await guest.post(at('/join'), {})
    expect(joined.status).toBe(201)
    expect(joined.body.participant).toMatchObject({ display_name: 'Gustav', user_id: null, role: 'participant' })
    expect(JSON.stringify(joined.body)).not.toContain(email)
  })

  it('accepts again, for another token to the same seat', async () => {
    const { link, owner, at } = await invited()
    await owner.post(at('/start'))
    const tokens = [await anyone.post(`${link}/accept`), await anyone.post(`${link}/accept`)].map(
      ({ body }) => body.participant_token,
    )
    const joined = []
    for (const token of tokens) joined.push((await withToken(token).post(at('/join'), {})).body.participant.id)
    expect(joined[0]).toBe(joined[1])
  })

  it('rejects, proposes another time, and changes its mind', async () => {
    const { link, owner, invited: path, at } = await invited()
    expect((await anyone.post(`${link}/reject`, { note: 'Busy' })).body).toMatchObject({
      status: 'rejected',
      note: 'Busy',
    })
    const scheduled_at = clock.in(7200)
    const proposed = await anyone.post(`${link}/propose`, { scheduled_at, note: 'Later?' })
    expect(proposed.body).toMatchObject({ status: 'proposed', proposals: [{ scheduled_at, status: 'open' }] })
    expect((await owner.post(`${path}/proposal/accept`)).body).toMatchObject({ status: 'accepted', sequence: 1 })
    expect((await owner.get(at())).body.scheduled_at).toBe(scheduled_at)
    expect((await anyone.post(`${link}/accept`, { sequence: 0 })).body.code).toBe('stale_sequence')
    expect((await anyone.post(`${link}/reject`, { sequence: 1 })).body.status).toBe('rejected')
  })

  it('takes the right to join away again from who has its token', async () => {
    const { link, at } = await invited({})
    const guest = withToken((await anyone.post(`${link}/accept`)).body.participant_token)
    const { connection } = (await guest.post(at('/join'), {})).body
    await anyone.post(`${link}/reject`)
    const heartbeat = await guest.post(at('/heartbeat'), { connection: connection.id })
    expect(heartbeat.body).toMatchObject({ code: 'connection_closed', reason: 'left' })
    expect((await guest.post(at('/join'), {})).body.code).toBe('not_accepted')
  })

  it('is of no use when the meeting is over', async () => {
    const { link, owner, at } = await invited({})
    await owner.post(at('/end'))
    for (const answer of ['accept', 'reject']) {
      expect((await anyone.post(`${link}/${answer}`)).body.code).toBe('meeting_over')
    }
    await owner.delete(at())
    expect((await anyone.get(link)).status).toBe(404)
  })

  it('does not help who was banned', async () => {
    const { link, owner, at } = await invited({})
    const guest = withToken((await anyone.post(`${link}/accept`)).body.participant_token)
    const { participant } = (await guest.post(at('/join'), {})).body
    await owner.post(at(`/participants/${participant.id}/remove`), { ban: true })
    const reply = await anyone.post(`${link}/accept`)
    expect(reply.status).toBe(403)
    expect(reply.body.code).toBe('banned')
  })

  it('stays the same when the meeting moves', async () => {
    const { link, owner, at, email } = await invited()
    await owner.patch(at(), { scheduled_at: clock.in(7200) })
    expect(await linkTo(email)).toBe(link)
    expect((await anyone.post(`${link}/accept`, { sequence: 1 })).status).toBe(200)
  })

  it('works though the key is another than when they were invited', async () => {
    const { link, owner, at, email, invitation } = await invited()
    const other = { link_hash: hashSecret('a link made with another key') }
    await inTransaction(db, db => db('invitations').where({ id: invitation.id }).update(other))
    expect((await anyone.get(link)).status).toBe(404)
    await owner.patch(at(), { scheduled_at: clock.in(7200) })
    const renewed = await linkTo(email)
    expect((await anyone.get(renewed)).body.id).toBe(invitation.id)
    expect((await anyone.post(`${renewed}/accept`, { sequence: 1 })).body.invitation.status).toBe('accepted')
  })

  it('works for the invitations of the demo', async () => {
    await seed(db)
    const { body } = await anyone.post('/api/auth/login', { email: demoOwner, password: demoPassword })
    const owner = world.make.caller(body)
    const { data } = (await owner.get('/api/meetings?q=summer')).body as { data: Meeting[] }
    const [planning] = data
    expect(planning?.title).toBe('Planning the summer')
    const moved = await owner.patch(`/api/meetings/${planning?.id}`, { duration_minutes: 45 })
    expect(moved.body.sequence).toBe(1)
    const link = await linkTo('invitee@parley.example')
    expect((await anyone.get(link)).body).toMatchObject({ status: 'pending', meeting: { id: planning?.id } })
    expect((await anyone.post(`${link}/accept`, { sequence: 1 })).body.invitation.status).toBe('accepted')
  })

  it('is dead once the invitation is withdrawn, and another one comes with a new invitation', async () => {
    const { link, owner, invited: path, invite, email, at } = await invited({})
    const { participant_token } = (await anyone.post(`${link}/accept`)).body
    expect((await withToken(participant_token).post(at('/join'), {})).status).toBe(201)
    await owner.delete(path)
    const dead = async () => {
      expect((await anyone.get(link)).status).toBe(404)
      for (const answer of ['accept', 'reject']) expect((await anyone.post(`${link}/${answer}`)).status).toBe(404)
      expect((await anyone.post(`${link}/propose`, { scheduled_at: clock.in(7200) })).status).toBe(404)
    }
    await dead()
    expect((await withToken(participant_token).post(at('/join'), {})).status).toBe(404)

    expect((await invite()).body.data).toMatchObject([{ status: 'pending' }])
    const renewed = await linkTo(email)
    expect(renewed).not.toBe(link)
    await dead()
    expect((await withToken(participant_token).post(at('/join'), {})).status, 'the token from before').toBe(401)
    const accepted = await anyone.post(`${renewed}/accept`)
    expect(accepted.body.invitation.status).toBe('accepted')
    expect((await withToken(accepted.body.participant_token).post(at('/join'), {})).status).toBe(201)
  })

  it.each(['x', 'A'.repeat(43), 'A'.repeat(64), '%25', '..%2F'])('that is made up, %s, is nobody’s', async token => {
    const link = `/api/invitations/link/${token}`
    expect((await anyone.get(link)).status).toBe(404)
    expect((await anyone.post(`${link}/accept`)).status).toBe(404)
  })
})

describe('the link of a mail, followed by somebody with an account', () => {
  it('makes the invitation theirs, which registering with the address did not', async () => {
    const { link, at, email, owner } = await invited()
    const me = await world.make.user({ email })
    expect((await me.get('/api/invitations')).body.data).toEqual([])
    const reply = await me.post(`${link}/accept`)
    expect(reply.status).toBe(200)
    expect(reply.body.invitation).toMatchObject({ status: 'accepted', user_id: me.user.id })
    expect((await me.get('/api/invitations')).body.data).toEqual([reply.body.invitation])
    await owner.post(at('/start'))
    const joined = await me.post(at('/join'), {})
    expect(joined.body.participant).toMatchObject({ user_id: me.user.id, display_name: me.user.name })
  })

  it('makes it nobody else’s when it is somebody’s already', async () => {
    const { link } = await invited()
    const [me, other] = [await world.make.user(), await world.make.user()]
    await me.post(`${link}/accept`)
    const reply = await other.post(`${link}/accept`)
    expect([reply.status, reply.body.code]).toEqual([409, 'invitation_claimed'])
    expect((await other.get('/api/invitations')).body.data).toEqual([])
  })

  it('leaves nothing of the guest that somebody may have been by it, nor makes anybody a guest again', async () => {
    const { link, owner, at, invited: path } = await invited({})
    const before = (await anyone.post(`${link}/accept`, { display_name: 'Gustav' })).body.participant_token
    expect((await withToken(before).get(at())).status).toBe(200)

    const alice = await world.make.user({ name: 'Alice' })
    expect((await alice.post(`${link}/accept`, { display_name: 'Mallory' })).body.participant_token).toBe(null)
    expect((await withToken(before).get(at())).status).toBe(401)
    expect((await withToken(before).post(at('/join'))).status).toBe(401)

    const mallory = await world.make.user()
    const theirs = await mallory.post(`${link}/accept`)
    expect([theirs.status, theirs.body.code]).toEqual([409, 'invitation_claimed'])
    const nobodys = await anyone.post(`${link}/accept`, { display_name: 'Mallory', note: 'By the link' })
    expect(nobodys.status).toBe(200)
    expect(nobodys.body).toMatchObject({ participant_token: null, invitation: { user_id: alice.user.id } })
    expect((await owner.get(path)).body).toMatchObject({ user_id: alice.user.id, status: 'accepted' })
    const { data } = (await owner.get(at('/participants'))).body
    const names = data.map(({ display_name }: { display_name: string }) => display_name)
    expect(names.sort()).toEqual(['Alice', owner.user.name].sort())
    expect((await mallory.get(at())).status).toBe(404)
    expect((await alice.post(at('/join'))).body.participant).toMatchObject({ display_name: 'Alice' })
  })

  it('stays their one invitation when they are invited by account, too', async () => {
    const { link, owner, at, invitation } = await invited()
    const me = await world.make.user()
    await me.post(`${link}/accept`)
    const reply = await owner.post(at('/invitations'), { invitees: [{ user_id: me.user.id }] })
    expect(reply.body.data).toMatchObject([{ id: invitation.id, status: 'accepted', user_id: me.user.id }])
    expect((await owner.get(at('/invitations'))).body.data).toHaveLength(1)
    await owner.delete(`/api/invitations/${invitation.id}`)
    expect((await me.get(at())).status).toBe(404)
  })

  it('leaves the owner the owner', async () => {
    const { link, owner, at } = await invited()
    const reply = await owner.post(`${link}/accept`)
    expect(reply.status).toBe(409)
    expect(reply.body.code).toBe('already_in_meeting')
    expect((await owner.get('/api/invitations')).body.data).toEqual([])
    expect((await owner.post(at('/join'), {})).body.role).toBe('host')
    expect((await anyone.get(link)).body.status).toBe('pending')
  })

  it('from another tenant makes them a guest, as anybody else', async () => {
    const { link, at } = await invited({})
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const { invitation, participant_token } = (await foreigner.post(`${link}/accept`)).body
    expect(invitation).toMatchObject({ status: 'accepted', user_id: null })
    expect((await foreigner.get('/api/invitations')).body.data).toEqual([])
    expect((await foreigner.get(at())).status).toBe(404)
    expect((await withToken(participant_token).post(at('/join'), {})).status).toBe(201)
  })
})

describe('the token of a link', () => {
  async function tables(): Promise<string[]> {
    if (engine === 'sqlite') return db('sqlite_master').where({ type: 'table' }).pluck('name')
    const rows: { name: string }[] = await db('information_schema.tables')
      .where('table_schema', db.raw(engine === 'mysql' ? 'database()' : 'current_schema()'))
      .select({ name: 'table_name' })
    return rows.map(({ name }) => name)
  }

  /** Which columns have that text somewhere in them. */
  async function columnsWith(text: string): Promise<string[]> {
    const found = new Set<string>()
    for (const table of await tables()) {
      const rows: { [column: string]: unknown }[] = await db(table)
      for (const row of rows) {
        for (const [column, value] of Object.entries(row)) {
          if (JSON.stringify(value)?.includes(text)) found.add(`${table}.${column}`)
        }
      }
    }
    return [...found]
  }

  it('is in nothing but the mail: not in a table, before or after it is sent or used, nor in the log', async () => {
    const held = await world.make.meeting({ scheduled_at: clock.in(3600) })
    const email = 'secretive@example.com'
    await held.owner.post(held.at('/invitations'), { invitees: [{ email }] }, { 'Idempotency-Key': 'once' })
    const waiting = JSON.stringify(await db('mails').where({ to_address: email }))
    const link = await linkTo(email)
    const token = link.slice(link.lastIndexOf('/') + 1)
    expect(waiting).not.toContain(token)
    expect(await columnsWith(email)).toContain('invitations.address')
    expect(await columnsWith(token)).toEqual([])
    await anyone.get(link)
    await anyone.post(`${link}/accept`)
    expect(await columnsWith(token)).toEqual([])
    expect(await columnsWith(hashSecret(token))).toEqual(['invitations.link_hash'])
    expect(world.lines.join('')).not.toContain(token)
    expect(world.lines.join('')).not.toContain(email)
  })
})
