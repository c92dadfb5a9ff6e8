import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Deps } from './deps.ts'
import * as store from './store.ts'

const atOnce = 20
/** Whose account is older has claimed what there was. */
const lateBy_s = 24 * 3600

export type Claim = ReturnType<typeof createClaims>['claim']

/** How an invitation to an address comes to belong to the account of that address. */
export function createClaims({
  db,
  clock,
  events,
  accounts,
  meetings,
}: Pick<Deps, 'db' | 'clock' | 'events' | 'accounts' | 'meetings'>) {
  events.on('user.registered', async (db, { user_id }, { tenant_id }) => {
    const user = await accounts.findUser(db, tenant_id, user_id)
    if (!user || !accounts.provesAddresses) return
    // The first few with the registration; a stranger may have made thousands, which can wait for the job.
    for (const row of await store.listUnclaimed(db, tenant_id, user.email, atOnce)) await claim(db, row, user_id)
  })

  const late: Job = {
    name: 'invitations whose address has an account now',
    every_s: 60,
    async run() {
      let claimed = 0
      for (const { owner_id, ...row } of accounts.provesAddresses
        ? await store.listClaimable(db, clock.in(-lateBy_s), 100)
        : []) {
        if (await inTransaction(db, db => claim(db, row, owner_id))) claimed++
      }
      return claimed
    },
  }

  return { claim, jobs: [late] }

  /** It becomes the account's, unless that account is in the meeting by other means. */
  async function claim(db: Db, row: store.InvitationRow, user_id: string): Promise<boolean> {
    const meeting = await meetings.lockFor(db, row.tenant_id, row.meeting_id)
    if (!meeting || (await participants.findUser(db, row.meeting_id, user_id))) return false
    const person = await participants.findByInvitation(db, row.id)
    const user = await accounts.findUser(db, row.tenant_id, user_id)
    if (!person || !user || person.user_id !== null) return false
    await store.update(db, row.id, { user_id })
    await participants.update(db, person.id, {
      user_id,
      display_name: user.name,
      generation: person.generation + 1, // the tokens of a guest are not those of an account
    })
    const { tenant_id, meeting_id, id: invitation_id } = row
    await events.record(
      db,
      { kind: 'user', tenant_id, user_id },
      { type: 'invitation.claimed', meeting_id, invitation_id, user_id },
    )
    return true
  }
}
