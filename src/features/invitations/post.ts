import type { Db } from '../../db/transaction.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Meeting } from '../meetings/schema.ts'
import type { Deps } from './deps.ts'
import type { InvitationMail } from './letters.ts'
import type { InvitationRow } from './store.ts'

export type Post = ReturnType<typeof createPost>

/** Tells invited people by mail what has become of their invitations: one letter to each for each change. */
export function createPost({ meetings, mail }: Pick<Deps, 'meetings' | 'mail'>) {
  return async function post(
    db: Db,
    meeting: Meeting,
    rows: InvitationRow[],
    occasion: InvitationMail['facts']['occasion'],
  ): Promise<void> {
    const [first] = rows
    if (!first) return
    const over = occasion === 'cancelled' || occasion === 'withdrawn'
    const event = { ...(await meetings.calendarEvent(db, first.tenant_id, meeting)), cancelled: over }
    // One that is deleted has had no chance to raise it. (A withdrawal is one person's: its raise would outdate all that
    // follows if they are invited again.)
    if (occasion === 'cancelled' && meeting.status !== 'cancelled') event.sequence++
    const people = await participants.listByInvitations(
      db,
      rows.map(({ id }) => id),
    )
    const names = new Map(people.map(({ invitation_id, display_name }) => [invitation_id, display_name]))
    const letters = rows.map((row): InvitationMail => {
      const { id: invitation_id, tenant_id, address: to_address, times_sent, role, message } = row
      const name = names.get(invitation_id) ?? GUEST
      return {
        tenant_id,
        kind: over ? 'invitation.cancel' : 'invitation.request',
        dedupe_key: `${invitation_id} ${times_sent} ${meeting.sequence} ${over ? 'CANCEL' : 'REQUEST'}`,
        to_address,
        facts: { invitation_id, times_sent, event, name: name === GUEST ? null : name, role, message, occasion },
      }
    })
    await mail.post(db, ...letters)
  }
}

/** Who has not said what they are called. */
export const GUEST = 'Guest'
