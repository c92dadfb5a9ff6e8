import { type Paged, pageOf } from '../../db/pages.ts'
import type { Db } from '../../db/transaction.ts'
import type { Page } from '../../kernel/fields.ts'
import type { Invitation, Proposal } from './schema.ts'

type Stored = Omit<Invitation, 'proposals' | 'meeting'>

/** Of the link only the hash is kept; the link itself is in nothing but the mail. */
export interface InvitationRow extends Stored {
  tenant_id: string
  /** Whom it is for, whether they were named by address or by account: one row for each in a meeting. */
  address: string
  /** Withdrawn and invited again, they get another link. */
  times_sent: number
  link_hash: string
}

export interface ProposalRow extends Proposal {
  tenant_id: string
  invitation_id: string
  meeting_id: string
  sequence: number
}

export type Status = Invitation['status']

const invitations = (db: Db) => db<InvitationRow>('invitations')
const proposals = (db: Db) => db<ProposalRow>('proposals')

/** One row for each address; whoever holds the lock of the meeting has looked, and the unique index sees to it. */
export async function insert(db: Db, invitation: InvitationRow): Promise<void> {
  await invitations(db).insert(invitation)
}

export const find = (db: Db, tenant_id: string, id: string): Promise<InvitationRow | undefined> =>
  invitations(db).where({ tenant_id, id }).first()

export const findByAddress = (db: Db, meeting_id: string, address: string): Promise<InvitationRow | undefined> =>
  invitations(db).where({ meeting_id, address }).first()

export const findByLink = (db: Db, link_hash: string): Promise<InvitationRow | undefined> =>
  invitations(db).where({ link_hash }).first()

export async function count(db: Db, meeting_id: string): Promise<number> {
  const counted = await invitations(db).where({ meeting_id }).count({ all: '*' }).first()
  return Number(counted?.all ?? 0)
}

export async function update(db: Db, id: string, changes: Partial<InvitationRow>): Promise<void> {
  await invitations(db).where({ id }).update(changes)
}

/** Asks them again, about the meeting's new time. */
export async function askAgain(db: Db, ids: string[], sequence: number, updated_at: string): Promise<void> {
  await invitations(db).whereIn('id', ids).update({ status: 'pending', sequence, updated_at })
}

/** True for whoever finds it in one of these states. */
export async function change(db: Db, id: string, from: Status[], changes: Partial<InvitationRow>): Promise<boolean> {
  return (await invitations(db).where({ id }).whereIn('status', from).update(changes)) === 1
}

export const listIn = (db: Db, meeting_id: string, statuses: Status[]): Promise<InvitationRow[]> =>
  invitations(db).where({ meeting_id }).whereIn('status', statuses).orderBy('id')

export function listOfMeeting(
  db: Db,
  meeting_id: string,
  { status, ...page }: Page & { status?: Status },
): Promise<Paged<InvitationRow>> {
  const all = invitations(db).where({ meeting_id })
  return pageOf<InvitationRow>(status ? all.where({ status }) : all, { id: 'asc' }, page)
}

export function listOfUser(
  db: Db,
  me: { tenant_id: string; user_id: string },
  { status, ...page }: Page & { status?: Status },
): Promise<Paged<InvitationRow>> {
  const mine = invitations(db).where({ tenant_id: me.tenant_id, user_id: me.user_id }).whereNot('status', 'withdrawn')
  return pageOf<InvitationRow>(status ? mine.where({ status }) : mine, { created_at: 'desc', id: 'desc' }, page)
}

export const listUnclaimed = (db: Db, tenant_id: string, address: string, limit: number): Promise<InvitationRow[]> =>
  invitations(db).where({ tenant_id, address }).whereNull('user_id').orderBy('meeting_id').limit(limit)

/**
 * Those whose address has a new account: too many to be claimed with the registration, or invited and registered at the
 * same moment, so that neither saw the other.
 */
export const listClaimable = (
  db: Db,
  since: string,
  limit: number,
): Promise<(InvitationRow & { owner_id: string })[]> =>
  invitations(db)
    .join('users', users =>
      users.on('users.tenant_id', 'invitations.tenant_id').on('users.email', 'invitations.address'),
    )
    .where('users.created_at', '>=', since)
    .whereNull('invitations.user_id')
    .whereNotExists(
      db('meeting_participants')
        .where('meeting_participants.meeting_id', db.ref('invitations.meeting_id'))
        .where('meeting_participants.user_id', db.ref('users.id'))
        .select('id'),
    )
    .orderBy('invitations.id')
    .limit(limit)
    .select('invitations.*', { owner_id: 'users.id' })

export async function insertProposal(db: Db, proposal: ProposalRow): Promise<void> {
  await proposals(db).insert(proposal)
}

export const findOpenProposal = (db: Db, invitation_id: string): Promise<ProposalRow | undefined> =>
  proposals(db).where({ invitation_id, status: 'open' }).first()

/** The open ones of an invitation, or of a whole meeting, are settled. */
export async function settleProposals(
  db: Db,
  of: { invitation_id: string } | { meeting_id: string } | { id: string },
  status: Exclude<ProposalRow['status'], 'open'>,
  decided_at: string,
): Promise<void> {
  await proposals(db)
    .where({ ...of, status: 'open' })
    .update({ status, decided_at })
}

export async function countProposals(db: Db, invitation_id: string): Promise<number> {
  const counted = await proposals(db).where({ invitation_id }).count({ all: '*' }).first()
  return Number(counted?.all ?? 0)
}

export const listProposals = (db: Db, invitation_ids: string[]): Promise<ProposalRow[]> =>
  proposals(db).whereIn('invitation_id', invitation_ids).orderBy('id')
