import { encode } from '../../db/codecs.ts'
import type { Db } from '../../db/transaction.ts'
import type { Draft } from './engine.ts'

export interface NotesRow {
  tenant_id: string
  meeting_id: string
  /** Dense in its meeting, for it is taken under the meeting's lock. */
  version: number
  session_id: string
  status: 'pending' | 'ready' | 'failed'
  /** The session while it is pending: unique, so that at most one is being written. */
  pending_session_id: string | null
  engine: string
  mocked: boolean
  /** A participant. */
  edited_by: string | null
  based_on: number | null
  /** How often it was tried in vain. */
  attempts: number
  next_attempt_at: string
  /** Until then it is in the hands of one node. */
  leased_until: string | null
  reason: string | null
  contents: Draft | null
  /** An edit has that of the version that it is based on. */
  transcript_text: string | null
  created_at: string
}

/** All but what may be long. */
export type NotesHead = Omit<NotesRow, 'contents' | 'transcript_text'>

const heads: (keyof NotesHead)[] = [
  'tenant_id',
  'meeting_id',
  'version',
  'session_id',
  'status',
  'pending_session_id',
  'engine',
  'mocked',
  'edited_by',
  'based_on',
  'attempts',
  'next_attempt_at',
  'leased_until',
  'reason',
  'created_at',
]

const notes = (db: Db) => db<NotesRow>('ai_notes')

export async function insert(db: Db, row: NotesRow): Promise<void> {
  await notes(db).insert(encode(row))
}

export const find = (db: Db, meeting_id: string, version: number): Promise<NotesRow | undefined> =>
  notes(db).where({ meeting_id, version }).first()

export const findHead = (db: Db, meeting_id: string, version: number): Promise<NotesHead | undefined> =>
  notes(db).where({ meeting_id, version }).first(heads)

export const findPending = (db: Db, session_id: string): Promise<NotesHead | undefined> =>
  notes(db).where({ pending_session_id: session_id }).first(heads)

/** The newest first; of some sessions, or of all of them. */
export function list(db: Db, meeting_id: string, session_ids?: string[]): Promise<NotesHead[]> {
  const query = notes(db).where({ meeting_id }).orderBy('version', 'desc').select(heads)
  return session_ids ? query.whereIn('session_id', session_ids) : query
}

/** Under the meeting's lock, so that nobody else is given the same. */
export async function nextVersion(db: Db, meeting_id: string): Promise<number> {
  const last = await notes(db).where({ meeting_id }).orderBy('version', 'desc').first('version')
  return (last?.version ?? 0) + 1
}

/** Pending, and in nobody's hands. */
const due = (db: Db, now: string) =>
  notes(db)
    .where({ status: 'pending' })
    .where('next_attempt_at', '<=', now)
    .where(free => free.whereNull('leased_until').orWhere('leased_until', '<=', now))

export const listDue = (db: Db, now: string, limit: number): Promise<NotesHead[]> =>
  due(db, now).orderBy(['next_attempt_at', 'meeting_id', 'version']).limit(limit).select(heads)

type Key = Pick<NotesRow, 'meeting_id' | 'version'>

/** For exactly one of those who try: the guard settles it. Whoever dies of it has tried, too. */
export async function lease(db: Db, { meeting_id, version }: Key, now: string, leased_until: string): Promise<boolean> {
  const leased = due(db, now).where({ meeting_id, version }).update({ leased_until }).increment('attempts', 1)
  return (await leased) === 1
}

type Outcome = Partial<
  Pick<
    NotesRow,
    | 'status'
    | 'pending_session_id'
    | 'mocked'
    | 'engine'
    | 'contents'
    | 'transcript_text'
    | 'reason'
    | 'attempts'
    | 'next_attempt_at'
  >
>

/** False when the lease has run out, or the meeting is gone: then what was written is nobody's. */
export async function settle(
  db: Db,
  { meeting_id, version, leased_until }: Key & Pick<NotesRow, 'leased_until'>,
  outcome: Outcome,
): Promise<boolean> {
  const settled = await notes(db)
    .where({ meeting_id, version, leased_until, status: 'pending' })
    .update(encode({ ...outcome, leased_until: null }))
  return settled === 1
}
