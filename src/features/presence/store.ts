import { encode } from '../../db/codecs.ts'
import { type Paged, pageOf } from '../../db/pages.ts'
import type { Db } from '../../db/transaction.ts'
import type { LeaveReason, SessionEnd } from '../../events/events.ts'
import type { Page } from '../../kernel/fields.ts'
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
  resume_token_hash: string
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

export const findConnection = (db: Db, meeting_id: string, id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ meeting_id, id }).first()

/** As above, and it is neither heard from nor closed until this transaction ends. */
export const lockConnection = (db: Db, meeting_id: string, id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ meeting_id, id }).forUpdate().first()

export async function setReplacedBy(db: Db, id: string, replaced_by: string): Promise<void> {
  await connections(db).where({ id }).update({ replaced_by })
}

export const listOpen = (db: Db, participant_id: string): Promise<ConnectionRow[]> =>
  connections(db).where({ participant_id }).whereNull('closed_at').orderBy('id')

export const listOpenIn = (db: Db, session_id: string): Promise<ConnectionRow[]> =>
  connections(db).where({ session_id }).whereNull('closed_at').orderBy('id')

export const findLastConnection = (db: Db, participant_id: string): Promise<ConnectionRow | undefined> =>
  connections(db).where({ participant_id }).orderBy('id', 'desc').first()

/** Who has not been heard of since then. */
export const listSilent = (db: Db, since: string, limit: number): Promise<ConnectionRow[]> =>
  connections(db).whereNull('closed_at').where('last_seen_at', '<', since).orderBy('last_seen_at').limit(limit)

/** Every connection of a session, and every span that has not ended. */
export async function closeAllIn(db: Db, session_id: string, reason: LeaveReason, at: string): Promise<void> {
  const open = connections(db).where({ session_id }).whereNull('closed_at')
  await open.update({ closed_at: at, close_reason: reason })
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
  const closed = await connections(db).where({ id }).whereNull('closed_at').update({ closed_at, close_reason: reason })
  if (closed !== 1) return false
  await attendances(db).where({ id: attendance_id }).whereNull('left_at').update({ left_at, end_reason: reason })
  return true
}

/** False when it is closed. */
export async function touch(db: Db, id: string, last_seen_at: string): Promise<boolean> {
  return (await connections(db).where({ id }).whereNull('closed_at').update({ last_seen_at })) === 1
}

/** Nobody asks any more why it was closed. */
export async function deleteClosedBefore(db: Db, before: string, limit: number): Promise<number> {
  const ids = await connections(db).where('closed_at', '<', before).limit(limit).pluck('id')
  return connections(db).whereIn('id', ids).delete()
}

/** A session may last longer, or less long, than was said when it began. */
export async function setOverAt(db: Db, id: string, over_at: string | null): Promise<void> {
  await sessions(db).where({ id }).update({ over_at })
}

export async function deleteConnections(db: Db, meeting_id: string): Promise<void> {
  await connections(db).where({ meeting_id }).delete()
}

/** Who is inside, a line for each connection, in the order in which they came. */
export const roster = (db: Db, session_id: string): Promise<RosterEntry[]> =>
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

export const listAttendances = (db: Db, meeting_id: string, page: Page): Promise<Paged<AttendanceRow>> =>
  pageOf<AttendanceRow>(attendances(db).where({ meeting_id }), { joined_at: 'asc', id: 'asc' }, page)
