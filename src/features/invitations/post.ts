import type { Db } from '../../db/transaction.ts'
import type { Actor } from '../../events/events.ts'
import type { Budget } from '../../kernel/limiter.ts'
import { RateLimited } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Meeting } from '../meetings/schema.ts'
import type { Deps } from './deps.ts'
import type { InvitationMail } from './letters.ts'
import type { InvitationRow } from './store.ts'

const budget: Budget = { name: 'letters', amount: 3000, per_s: 3600 }

export type Post = ReturnType<typeof createPost>

/** Tells invited people by mail what has become of their invitations: one letter to each for each change. */
export function createPost({ calendars, mail, limiter }: Pick<Deps, 'calendars' | 'mail' | 'limiter'>) {
  /** A request may be a thousand letters, so it is letters that are counted. */
  function spend(actor: Actor, letters: number): void {
    if (actor.kind === 'system') return
    const wait = limiter.spend(budget, actor.kind === 'user' ? actor.user_id : actor.participant_id, letters)
    if (wait > 0) throw RateLimited({ retry_after_s: wait, detail: 'Too many letters in an hour' })
  }

  return async function post(
    db: Db,
    actor: Actor,
    meeting: Meeting,
    rows: InvitationRow[],
    occasion: InvitationMail['facts']['occasion'],
  ): Promise<void> {
    const [first] = rows
    if (!first) return
    const over = occasion === 'cancelled' || occasion === 'withdrawn'
    const event = { ...(await calendars.eventOf(db, first.tenant_id, meeting)), cancelled: over }
    // One that is deleted has had no chance to raise it. (A withdrawal is one person's: its raise would outdate all that
    // follows if they are invited again.)
    if (occasion === 'cancelled' && meeting.status !== 'cancelled') event.sequence++
    const people = await participants.listByInvitations(
      db,
      rows.map(({ id }) => id),
    )
    const known = new Map(people.map(person => [person.invitation_id, person]))
    const told = rows.filter(({ id }) => known.get(id)?.state !== 'banned')
    if (!over) spend(actor, told.length) // who calls something off is never kept from it
    const letters = told.map((row): InvitationMail => {
      const { id: invitation_id, tenant_id, address: to_address, times_sent, role, message } = row
      const name = known.get(invitation_id)?.display_name ?? GUEST
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
