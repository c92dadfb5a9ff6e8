import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Deps } from './deps.ts'
import * as store from './store.ts'

export type Claim = ReturnType<typeof createClaims>['claim']

/** How an invitation to an address comes to belong to the account of that address. */
export function createClaims({
  db,
  events,
  accounts,
  meetings,
}: Pick<Deps, 'db' | 'events' | 'accounts' | 'meetings'>) {
  events.on('user.registered', async (db, { user_id }, { tenant_id }) => {
    const user = await accounts.findUser(db, tenant_id, user_id)
    if (!user || !accounts.provesAddresses) return
    for (const row of await store.listUnclaimed(db, tenant_id, user.email)) await claim(db, row, user_id)
  })

  const late: Job = {
    name: 'invitations whose address has an account now',
    every_s: 60,
    async run() {
      let claimed = 0
      for (const { owner_id, ...row } of accounts.provesAddresses ? await store.listClaimable(db, 100) : []) {
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
    await participants.update(db, person.id, { user_id, display_name: user.name })
    const { tenant_id, meeting_id, id: invitation_id } = row
    await events.record(
      db,
      { kind: 'user', tenant_id, user_id },
      { type: 'invitation.claimed', meeting_id, invitation_id, user_id },
    )
    return true
  }
}
