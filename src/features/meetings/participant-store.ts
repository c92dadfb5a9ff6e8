import type { Db } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Participant } from './schema.ts'
import type { AgendaRow } from './store.ts'
import type { Role } from './types.ts'

/**
 * A person in one meeting: what they may, as what, and where they are. One row for each, whoever they come as, so that a
 * ban or a seat is the person's and not the tab's.
 *
 * `may` is the consequence of an invitation, and of nothing else: `join`; `see`, while one has not said yes; `knock`, who
 * has just the join code; `nothing`, once it is withdrawn.
 */
export interface ParticipantRow extends Participant, AgendaRow {
  invitation_id: string | null
  role: Role
  /** A host has let them in, until the session ends. */
  admitted: boolean
  /** A host has shown them out, and none has let them in since: knocking, leaving or time does not change that. */
  shown_out: boolean
  /** Of their guest tokens: those of an earlier one are dead. */
  generation: number
  /** When who is waiting last asked. */
  seen_at: string | null
  denied_until: string | null
  created_at: string
}

export type State = Participant['state']

/** Neither inside nor in the lobby. */
export const away = { state: 'away', waiting_since: null, seen_at: null } as const

const participants = (db: Db) => db<ParticipantRow>('meeting_participants')

export async function insert(db: Db, participant: ParticipantRow): Promise<void> {
  await participants(db).insert(participant)
}

/** Who the caller is in this meeting. */
export async function findCaller(db: Db, meeting_id: string, caller: Caller): Promise<ParticipantRow | undefined> {
  const { tenant_id } = caller
  if (caller.kind === 'user') return participants(db).where({ tenant_id, meeting_id, user_id: caller.user_id }).first()
  return participants(db).where({ tenant_id, meeting_id, id: caller.participant_id }).first()
}

export const findUser = (db: Db, meeting_id: string, user_id: string): Promise<ParticipantRow | undefined> =>
  participants(db).where({ meeting_id, user_id }).first()

export const find = (db: Db, meeting_id: string, id: string): Promise<ParticipantRow | undefined> =>
  participants(db).where({ meeting_id, id }).first()

/** As above, and nobody changes them until this transaction ends. */
export const lock = (db: Db, meeting_id: string, id: string): Promise<ParticipantRow | undefined> =>
  participants(db).where({ meeting_id, id }).forUpdate().first()

/** Whoever has the token of this guest. */
export const findGuest = (db: Db, id: string): Promise<ParticipantRow | undefined> =>
  participants(db).where({ id }).first()

/** Where the meeting stands in the agendas of its people; the same for all, and for a series dear to compute. */
export const findPlace = (
  db: Db,
  meeting_id: string,
): Promise<Pick<AgendaRow, 'title_key' | 'starts_at' | 'over_at'> | undefined> =>
  participants(db).where({ meeting_id }).first('title_key', 'starts_at', 'over_at')

export const findByInvitation = (db: Db, invitation_id: string): Promise<ParticipantRow | undefined> =>
  participants(db).where({ invitation_id }).first()

export const listByInvitations = (db: Db, invitation_ids: string[]): Promise<ParticipantRow[]> =>
  participants(db).whereIn('invitation_id', invitation_ids)

/** What follows for these invited people from a change of their invitations. */
export async function setMay(db: Db, invitation_ids: string[], may: ParticipantRow['may']): Promise<void> {
  await participants(db).whereIn('invitation_id', invitation_ids).update({ may })
}

export async function update(db: Db, id: string, changes: Partial<ParticipantRow>): Promise<void> {
  await participants(db).where({ id }).update(changes)
}

/** True for whoever finds the person in one of these states. */
export async function change(db: Db, id: string, from: State[], changes: Partial<ParticipantRow>): Promise<boolean> {
  return (await participants(db).where({ id }).whereIn('state', from).update(changes)) === 1
}

export const listIn = (db: Db, meeting_id: string, states: State[]): Promise<ParticipantRow[]> =>
  participants(db).where({ meeting_id }).whereIn('state', states).orderBy('id')

/** Those who belong to the meeting; who was withdrawn does not any more. */
export const pageQuery = (db: Db, meeting_id: string, states: State[]) =>
  participants(db).where({ meeting_id }).whereNot('may', 'nothing').whereIn('state', states)

export async function countIn(db: Db, meeting_id: string, states: State[]): Promise<number> {
  const counted = await participants(db).where({ meeting_id }).whereIn('state', states).count({ people: '*' }).first()
  return Number(counted?.people ?? 0)
}

/** The session is over: nobody is in, waits, or has been let in any more. Who was removed stays so. */
export async function clearAway(db: Db, meeting_id: string): Promise<void> {
  await participants(db).where({ meeting_id, admitted: true }).update({ admitted: false })
  await participants(db).where({ meeting_id }).whereIn('state', ['inside', 'waiting', 'admitted']).update(away)
}

export const listHosts = (db: Db, meeting_id: string): Promise<ParticipantRow[]> =>
  participants(db).where({ meeting_id }).whereIn('role', ['host', 'co_host'])

/** Who waits in the lobby, or was let in, and does not say any more that they come. */
export const listUndecidedWaiting = (db: Db, meeting_id: string): Promise<ParticipantRow[]> =>
  participants(db).where({ meeting_id, may: 'see' }).whereIn('state', ['waiting', 'admitted'])

/** An account has another name now. Whoever is inside is called what they came as. */
export async function rename(db: Db, user_id: string, display_name: string): Promise<void> {
  await participants(db).where({ user_id, state: 'away' }).update({ display_name })
}

/** Guests who knocked, never came in, and have no token any more. */
export async function deleteForgottenGuests(db: Db, before: string, limit: number): Promise<number> {
  const ids = await participants(db)
    .where({ relation: 'guest', state: 'away', may: 'knock', admitted: false })
    .where('created_at', '<', before)
    .whereNotExists(db('attendances').where('participant_id', db.ref('meeting_participants.id')).select('id'))
    .limit(limit)
    .pluck('id')
  return participants(db).whereIn('id', ids).delete()
}

/** Who has not asked again for so long has gone away from the lobby. */
export const listSilentWaiting = (db: Db, since: string, limit: number): Promise<ParticipantRow[]> =>
  participants(db)
    .whereIn('state', ['waiting', 'admitted'])
    .where('seen_at', '<', since)
    .orderBy('seen_at')
    .limit(limit)

/** What is shown of a person: never an address, of mail or of the network. */
export function shownParticipant(row: ParticipantRow): Participant {
  const { id, meeting_id, user_id, display_name, role, state, waiting_since } = row
  return { id, meeting_id, user_id, display_name, role, state, waiting_since }
}
