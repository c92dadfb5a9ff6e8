import type { Db } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import { NotFound } from '../../kernel/problem.ts'
import * as participants from './participant-store.ts'
import { Banned, HostsOnly, type Meeting, NotAdmitted, OwnerOnly } from './schema.ts'
import * as store from './store.ts'
import { hosts } from './types.ts'

/** A meeting, and who the caller is in it. Every question of "may they" is answered from these two rows. */
export interface Standing {
  meeting: Meeting
  me: participants.ParticipantRow
}

/**
 * To whom it is none of their business, a meeting does not exist. `lock` keeps both as they are until the transaction
 * ends: the meeting is always locked first, so that whatever changes it or its people happens one after the other.
 */
export async function standingOf(
  db: Db,
  caller: Caller,
  meeting_id: string,
  how: 'read' | 'lock' = 'read',
): Promise<Standing> {
  const standing = await formerStandingOf(db, caller, meeting_id, how)
  if (standing.me.may === 'nothing') throw NotFound()
  return standing
}

/** For who may have been somebody here, and is none any more: they may still put away what is theirs. */
export async function formerStandingOf(
  db: Db,
  caller: Caller,
  meeting_id: string,
  how: 'read' | 'lock' = 'read',
): Promise<Standing> {
  const { tenant_id } = caller
  const meeting = await (how === 'lock' ? store.lock(db, tenant_id, meeting_id) : store.find(db, tenant_id, meeting_id))
  const me = meeting && (await participants.findCaller(db, meeting_id, caller))
  if (!me) throw NotFound()
  return { meeting, me }
}

/** Who has just knocked knows that there is a meeting, and is told no more about it; nor is who was banned. */
export async function requireVisible(db: Db, caller: Caller, meeting_id: string): Promise<Standing> {
  const standing = await standingOf(db, caller, meeting_id)
  const { may, admitted, state, shown_out } = standing.me
  if (state === 'banned') throw Banned()
  if (may === 'knock' && (!admitted || shown_out)) throw NotAdmitted()
  return standing
}

export async function requireHost(
  db: Db,
  caller: Caller,
  meeting_id: string,
  how?: 'read' | 'lock',
): Promise<Standing> {
  const standing = await standingOf(db, caller, meeting_id, how)
  if (!isHost(standing.me)) throw HostsOnly()
  return standing
}

export async function requireOwner(
  db: Db,
  caller: Caller,
  meeting_id: string,
  how?: 'read' | 'lock',
): Promise<Standing> {
  const standing = await standingOf(db, caller, meeting_id, how)
  if (standing.me.relation !== 'owner') throw OwnerOnly()
  return standing
}

/** A co-host who has been asked again, or who was shown out, is none for the time being. */
export const isHost = ({ role, may, admitted, shown_out }: participants.ParticipantRow): boolean =>
  hosts(role) && (may === 'join' || (may === 'knock' && admitted)) && !shown_out
