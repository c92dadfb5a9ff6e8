import { encode } from '../../db/codecs.ts'
import { type Paged, pageOf } from '../../db/pages.ts'
import type { Db } from '../../db/transaction.ts'
import type { LeaveReason, SessionEnd } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Page } from '../../kernel/fields.ts'
import { maySend, type Role } from '../meetings/types.ts'
import type { Attendance, RosterEntry, Session } from './schema.ts'

export interface SessionRow extends Session {
  tenant_id: string
  /** The meeting, while it is live: the column is unique, and so at most one session is. */
  live_meeting_id: string | null
  /** When it ends if still nobody is inside; null while somebody is. */
  empty_until: string | null
  /** When it ends in any case. */
  over_at: string | null
  /** Rises with every change of who is inside. */
  roster_version: number
}

/** One span of one device; it is never written again once it has ended. */
export interface AttendanceRow extends Omit<Attendance, 'minutes'> {
  tenant_id: string
  meeting_id: string
}

/** One tab or app inside. Of its resume token only the hash is kept. */
export interface ConnectionRow {
  id: string
  tenant_id: string
  meeting_id: string
  session_id: string
  participant_id: string
  attendance_id: string
  /** Of an account. */
  user_id: string | null
  /** What the token lives and dies with that it is used with: a login, or a generation of guest tokens. */
  token_family: string
  /** As what they are inside, and whether that lets them send sound and pictures. */
  role: Role
  may_send: boolean
  /** The version of the roster with which they came: of two, the later one is the polite one. */
  joined_as: number
  resume_token_hash: string
  /** The one before: the answer with the present one may have been lost. */
  previous_token_hash: string | null
  /** What opens a channel, once. */
  ticket_hash: string | null
  opened_at: string
  last_seen_at: string
  closed_at: string | null
  close_reason: LeaveReason | null
  /** The connection with which they came back. */
  replaced_by: string | null
}

const sessions = (db: Db) => db<SessionRow>('meeting_sessions')
const attendances = (db: Db) => db<AttendanceRow>('attendances')
const connections = (db: Db) => db<ConnectionRow>('rtc_connections')

/** False when the meeting is live already: the unique index settles it. */
export async function insertSession(db: Db, session: SessionRow): Promise<boolean> {
  await sessions(db).insert(session).onConflict('live_meeting_id').ignore()
  return (await sessions(db).where({ id: session.id }).first('id')) !== undefined
}

export const findLive = (db: Db, meeting_id: string): Promise<SessionRow | undefined> =>
  sessions(db).where({ live_meeting_id: meeting_id }).first()

/** The one that is named; otherwise the live one, and if none is live, the latest. */
export const findSession = (db: Db, meeting_id: string, id?: string): Promise<SessionRow | undefined> =>
  sessions(db)
    .where(id === undefined ? { meeting_id } : { meeting_id, id })
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .first()

/** True for exactly one of those who end it. */
export async function endSession(db: Db, id: string, ended_at: string, end_reason: SessionEnd): Promise<boolean> {
  const ended = await sessions(db)
    .where({ id })
    .whereNull('ended_at')
    .update({ ended_at, end_reason, live_meeting_id: null, empty_until: null })
  return ended === 1
}

/** Somebody has come, gone or changed. */
export async function changeRoster(db: Db, id: string, empty_until: string | null): Promise<void> {
  await sessions(db).where({ id }).update({ empty_until }).increment('roster_version', 1)
}

/** Sessions that nobody is in for too long, and those that have lasted as long as they may. */
export const listDue = (db: Db, column: 'empty_until' | 'over_at', now: string, limit: number): Promise<SessionRow[]> =>
  sessions(db).whereNull('ended_at').where(column, '<=', now).orderBy(column).limit(limit)

export async function insertConnection(db: Db, connection: ConnectionRow, attendance: AttendanceRow): Promise<void> {
  await attendances(db).insert(encode(attendance))
  await connections(db).insert(connection)
}

/** Of whatever meeting; for the rooms above, which know it by an event. */
export const findConnectionById = (db: Db, id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ id }).first()

export const findConnection = (db: Db, meeting_id: string, id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ meeting_id, id }).first()

/** As above, and it is neither used nor closed by anybody else until this transaction ends. */
export const lockConnection = (db: Db, meeting_id: string, id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ meeting_id, id }).forUpdate().first()

/** Somebody's own, in whatever meeting. */
export const lockOwn = (db: Db, caller: Caller, id: string): Promise<ConnectionRow | undefined> =>
  connections(db)
    .where({ id, tenant_id: caller.tenant_id })
    .where(caller.kind === 'user' ? { user_id: caller.user_id } : { participant_id: caller.participant_id })
    .forUpdate()
    .first()

/** Whoever closes one of a session locks all of them first, in this order: their inboxes are told of it. */
export const lockOpenIn = (db: Db, session_id: string): Promise<ConnectionRow[]> =>
  connections(db).where({ session_id }).whereNull('closed_at').orderBy('id').forUpdate()

export async function setReplacedBy(db: Db, id: string, replaced_by: string): Promise<void> {
  await connections(db).where({ id }).update({ replaced_by })
}

export const listOpen = (db: Db, participant_id: string): Promise<ConnectionRow[]> =>
  connections(db).where({ participant_id }).whereNull('closed_at').orderBy('id')

export const listOpenIn = (db: Db, session_id: string): Promise<ConnectionRow[]> =>
  connections(db).where({ session_id }).whereNull('closed_at').orderBy('id')

/** What is used with the tokens of one login. */
export const listOpenOfFamily = (db: Db, token_family: string): Promise<ConnectionRow[]> =>
  connections(db).where({ token_family }).whereNull('closed_at').orderBy(['meeting_id', 'id'])

export const findLastConnection = (db: Db, participant_id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ participant_id }).orderBy('id', 'desc').first()

/** Who has not been heard of since then. */
export const listSilent = (db: Db, since: string, limit: number): Promise<ConnectionRow[]> =>
  connections(db).whereNull('closed_at').where('last_seen_at', '<', since).orderBy('last_seen_at').limit(limit)

/** Every connection of a session, and every span that has not ended. */
export async function closeAllIn(db: Db, session_id: string, reason: LeaveReason, at: string): Promise<void> {
  const open = connections(db).where({ session_id }).whereNull('closed_at')
  await open.update({ closed_at: at, close_reason: reason }).increment('revision', 1)
  await attendances(db).where({ session_id }).whereNull('left_at').update({ left_at: at, end_reason: reason })
}

/** True for exactly one of those who close it; its attendance ends with it. */
export async function closeConnection(
  db: Db,
  { id, attendance_id }: ConnectionRow,
  reason: LeaveReason,
  at: { closed_at: string; left_at: string },
): Promise<boolean> {
  const { closed_at, left_at } = at
  const open = connections(db).where({ id }).whereNull('closed_at')
  const closed = await open.update({ closed_at, close_reason: reason }).increment('revision', 1)
  if (closed !== 1) return false
  await attendances(db).where({ id: attendance_id }).whereNull('left_at').update({ left_at, end_reason: reason })
  return true
}

/** False when it is closed. */
export async function touch(db: Db, id: string, last_seen_at: string): Promise<boolean> {
  return (await connections(db).where({ id }).whereNull('closed_at').update({ last_seen_at })) === 1
}

/** When these were last heard of; of one that is closed, nobody wants to know. */
export async function touchAll(db: Db, ids: string[], last_seen_at: string): Promise<void> {
  const open = await connections(db).whereIn('id', ids).whereNull('closed_at').orderBy('id').forUpdate().pluck('id')
  await connections(db).whereIn('id', open).where('last_seen_at', '<', last_seen_at).update({ last_seen_at })
}

/** Somebody is something else now, on each of their devices. */
export async function setRole(db: Db, participant_id: string, role: Role, may_send: boolean): Promise<void> {
  await connections(db)
    .where({ participant_id })
    .whereNull('closed_at')
    .update({ role, may_send })
    .increment('revision', 1)
}

/** The meeting lets others send now than it did. */
export async function setSenders(db: Db, session_id: string, senders: 'all' | 'hosts'): Promise<void> {
  for (const role of ['host', 'co_host', 'participant', 'viewer'] as const) {
    const may_send = maySend(role, senders)
    await connections(db)
      .where({ session_id, role, may_send: !may_send })
      .whereNull('closed_at')
      .update({ may_send })
      .increment('revision', 1)
  }
}

/** A guest turns out to have an account: their connections are its own, and wait for a token of it. */
export async function giveTo(db: Db, participant_id: string, user_id: string): Promise<void> {
  await connections(db)
    .where({ participant_id })
    .whereNull('closed_at')
    .update({ user_id, token_family: '' })
    .increment('revision', 1)
}

/** From now on it is used with other tokens. False when it is closed. */
export async function changeTokens(
  db: Db,
  id: string,
  tokens: Partial<Pick<ConnectionRow, 'token_family' | 'resume_token_hash' | 'previous_token_hash'>>,
): Promise<boolean> {
  const open = connections(db).where({ id }).whereNull('closed_at')
  return (await open.update({ ...tokens, ticket_hash: null }).increment('revision', 1)) === 1
}

/** Nobody asks any more why these were closed. */
export const listClosedBefore = (db: Db, before: string, limit: number): Promise<string[]> =>
  connections(db).where('closed_at', '<', before).limit(limit).pluck('id')

/** A session may last longer, or less long, than was said when it began. */
export async function setOverAt(db: Db, id: string, over_at: string | null): Promise<void> {
  await sessions(db).where({ id }).update({ over_at })
}

export const listOfMeeting = (db: Db, meeting_id: string): Promise<string[]> =>
  connections(db).where({ meeting_id }).pluck('id')

export const deleteConnections = (db: Db, ids: string[]): Promise<number> => connections(db).whereIn('id', ids).delete()

export interface PresentRow
  extends Omit<RosterEntry, 'polite'>,
    Pick<ConnectionRow, 'joined_as' | 'user_id' | 'may_send'> {}

/** Who is inside, a line for each connection, in the order in which they came. */
export const roster = (db: Db, session_id: string): Promise<PresentRow[]> =>
  connections(db)
    .join('attendances as a', 'a.id', 'rtc_connections.attendance_id')
    .join('meeting_participants as p', 'p.id', 'rtc_connections.participant_id')
    .where('rtc_connections.session_id', session_id)
    .whereNull('rtc_connections.closed_at')
    .orderBy('rtc_connections.id')
    .select({
      participant: 'p.id',
      connection: 'rtc_connections.id',
      display_name: 'p.display_name',
      role: 'p.role',
      device: 'a.device',
      joined_at: 'a.joined_at',
      joined_as: 'rtc_connections.joined_as',
      user_id: 'rtc_connections.user_id',
      may_send: 'rtc_connections.may_send',
    })

export const findAttendance = (db: Db, id: string): Promise<AttendanceRow | undefined> =>
  attendances(db).where({ id }).first()

export const lockAttendance = (db: Db, id: string): Promise<AttendanceRow | undefined> =>
  attendances(db).where({ id }).forUpdate().first()

export async function setQuality(db: Db, id: string, quality: AttendanceRow['quality']): Promise<void> {
  await attendances(db).where({ id }).whereNull('left_at').update(encode({ quality }))
}

export const findLastAttendance = (
  db: Db,
  participant_id: string,
  meeting_id: string,
): Promise<AttendanceRow | undefined> =>
  attendances(db).where({ meeting_id, participant_id }).orderBy('joined_at', 'desc').orderBy('id', 'desc').first()

/** Whether that person has been inside this session. */
export const wasInside = async (db: Db, session_id: string, participant_id: string): Promise<boolean> =>
  (await attendances(db).where({ session_id, participant_id }).first('id')) !== undefined

/** Every span of everybody in one session, in the order in which they came. */
export const listAttendancesOf = (db: Db, session_id: string): Promise<AttendanceRow[]> =>
  attendances(db).where({ session_id }).orderBy(['joined_at', 'id'])

/** The sessions that somebody has been inside. */
export const listAttended = (db: Db, meeting_id: string, participant_id: string): Promise<string[]> =>
  attendances(db).where({ meeting_id, participant_id }).distinct().pluck('session_id')

export const listAttendances = (db: Db, meeting_id: string, page: Page): Promise<Paged<AttendanceRow>> =>
  pageOf<AttendanceRow>(attendances(db).where({ meeting_id }), { joined_at: 'asc', id: 'asc' }, page)
