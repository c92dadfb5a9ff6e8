import { createSecretKey, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { DateTime } from 'luxon'
import { inTransaction } from '../src/db/transaction.ts'
import { createEvents } from '../src/events/events.ts'
import { createPasswords } from '../src/features/accounts/passwords.ts'
import { createAccounts } from '../src/features/accounts/service.ts'
import * as store from '../src/features/accounts/store.ts'
import { createInvitations } from '../src/features/invitations/service.ts'
import { createCalendars } from '../src/features/meetings/calendars.ts'
import { CreateMeeting } from '../src/features/meetings/schema.ts'
import { createMeetings } from '../src/features/meetings/service.ts'
import { DEFAULT_TENANT, type UserCaller } from '../src/kernel/caller.ts'
import { systemClock as clock } from '../src/kernel/clock.ts'
import { newId } from '../src/kernel/ids.ts'
import { createLimiter } from '../src/kernel/limiter.ts'

/** A pleasant start for somebody who is trying things out. Safe to run twice; nothing needs it to run. */

export const demoPassword = 'parley-demo'
export const demoOwner = 'owner@parley.example'

const people = [
  { email: demoOwner, name: 'Demo Owner', time_zone: 'Europe/Berlin' },
  { email: 'invitee@parley.example', name: 'Demo Invitee', time_zone: 'America/New_York' },
  { email: 'viewer@parley.example', name: 'Demo Viewer', time_zone: 'Asia/Tokyo' },
]

export async function seed(db: Knex): Promise<void> {
  const password_hash = await createPasswords().hash(demoPassword)
  const now = clock.now()
  const [owner, invitee, viewer] = people.map(person => {
    const times = { created_at: now, updated_at: now }
    return { id: newId('usr'), tenant_id: DEFAULT_TENANT, ...person, version: 1, ...times, password_hash }
  })
  if (!owner || !invitee || !viewer) return
  const added = await inTransaction(db, async db => {
    const inserted = []
    for (const user of [owner, invitee, viewer]) inserted.push(await store.insertUser(db, user))
    return inserted.every(Boolean)
  })
  if (added) await seedMeetings(db, owner.id, invitee.id, viewer.id)
}

/** One that comes every week, one whose time is being talked about, and one to watch. */
async function seedMeetings(db: Knex, owner_id: string, invitee_id: string, viewer_id: string): Promise<void> {
  const { meetings, invitations } = services(db)
  const [owner, invitee] = [caller(owner_id), caller(invitee_id)]
  const monday = DateTime.now().setZone('Europe/Berlin').plus({ weeks: 1 }).startOf('week')
  const at = (day: number, hour: number) => monday.plus({ days: day, hours: hour }).toISO() ?? ''

  const weekly = await meetings.create(
    owner,
    CreateMeeting.parse({ title: 'Weekly', scheduled_at: at(0, 9), duration_minutes: 30, recurrence: 'FREQ=WEEKLY' }),
  )
  const [first] = await invite(weekly.id, [{ user_id: invitee_id }, { user_id: viewer_id }])
  if (first) await invitations.accept(invitee, first.id, {})

  const planning = await meetings.create(
    owner,
    CreateMeeting.parse({ title: 'Planning the summer', scheduled_at: at(2, 14), lobby: true }),
  )
  const [asked] = await invite(planning.id, [{ user_id: invitee_id }])
  const later = { scheduled_at: at(3, 16), note: 'Wednesday is full. Thursday at four?' }
  if (asked) await invitations.propose(invitee, asked.id, later)

  const tour = await meetings.create(
    owner,
    CreateMeeting.parse({ title: 'A tour of Parley', type: 'webinar', scheduled_at: at(4, 11) }),
  )
  await invite(tour.id, [{ user_id: viewer_id }])

  async function invite(meeting_id: string, invitees: { user_id: string }[]) {
    return (await invitations.invite(owner, meeting_id, { invitees })).data
  }
}

const caller = (user_id: string): UserCaller => ({
  kind: 'user',
  tenant_id: DEFAULT_TENANT,
  user_id,
  login_id: 'demo',
})

/** The same rules as everybody's, but nobody is sent a mail. */
function services(db: Knex) {
  const events = createEvents(clock)
  const limiter = createLimiter(clock, 1)
  const key = createSecretKey(randomBytes(32))
  const accounts = createAccounts({ db, clock, events, limiter, key, require_verified_email: false })
  const meetings = createMeetings({ db, clock, events, accounts, key })
  const calendars = createCalendars({ db, clock, accounts, mail_address: 'parley@localhost' })
  const mail = { post: async () => {} }
  return {
    meetings,
    invitations: createInvitations({ db, clock, events, accounts, meetings, calendars, mail, limiter, key }),
  }
}

/** Whether there is a demo to log in to. */
export const hasDemo = async (db: Knex): Promise<boolean> =>
  (await store.findByEmail(db, DEFAULT_TENANT, demoOwner)) !== undefined

/** Whether nobody has used this database yet. */
export const isNew = async (db: Knex): Promise<boolean> => (await db('users').first('id')) === undefined
