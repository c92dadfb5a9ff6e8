import { encode } from '../../db/codecs.ts'
import type { Db } from '../../db/transaction.ts'
import type { Recording } from './schema.ts'

export interface RecordingRow extends Omit<Recording, 'mocked' | 'duration_s'> {
  tenant_id: string
  /** Its session, while it is active: the column is unique, and so at most one is. */
  active_session_id: string | null
  started_by: string | null
  duration_ms: number | null
  ready_at: string | null
  /** When it is settled, if nobody has done so until then; null once it is. */
  due_at: string | null
  /** How often it was tried to make a file of it. */
  attempts: number
}

export interface ChunkRow {
  recording_id: string
  number: number
  bytes: number
  sha256: string
}

const recordings = (db: Db) => db<RecordingRow>('recordings')
const chunks = (db: Db) => db<ChunkRow>('recording_chunks')
const links = (db: Db) => db<{ token_hash: string; recording_id: string; expires_at: string }>('recording_links')

/** False when another one is active: the unique index settles it. */
export async function insert(db: Db, recording: RecordingRow): Promise<boolean> {
  await recordings(db).insert(encode(recording)).onConflict('active_session_id').ignore()
  return (await recordings(db).where({ id: recording.id }).first('id')) !== undefined
}

export const find = (db: Db, tenant_id: string, id: string): Promise<RecordingRow | undefined> =>
  recordings(db).where({ tenant_id, id }).first()

/** Of whatever tenant; for links and for the jobs. */
export const findById = (db: Db, id: string): Promise<RecordingRow | undefined> => recordings(db).where({ id }).first()

export const lock = (db: Db, id: string): Promise<RecordingRow | undefined> =>
  recordings(db).where({ id }).forUpdate().first()

export const findActive = (db: Db, session_id: string): Promise<RecordingRow | undefined> =>
  recordings(db).where({ active_session_id: session_id }).first()

export const isRecorded = async (db: Db, session_id: string): Promise<boolean> =>
  (await recordings(db).where({ session_id }).first('id')) !== undefined

/** True for exactly one of those who take it from one of these statuses. */
export async function change(
  db: Db,
  id: string,
  from: RecordingRow['status'][],
  changes: Partial<RecordingRow>,
): Promise<boolean> {
  return (await recordings(db).where({ id }).whereIn('status', from).update(changes)) === 1
}

/** So much of a part has come. */
export async function addBytes(db: Db, id: string, bytes: number): Promise<void> {
  await recordings(db).where({ id }).increment('bytes', bytes)
}

/** With their copies. */
export async function bytesOfTenant(db: Db, tenant_id: string): Promise<number> {
  const [summed] = await recordings(db).where({ tenant_id }).sum({ bytes: 'bytes', copies: 'seekable_bytes' })
  return Number(summed?.bytes ?? 0) + Number(summed?.copies ?? 0)
}

/** What a tenant may have is counted by one after the other. */
export async function lockTenant(db: Db, id: string): Promise<void> {
  await db('tenants').where({ id }).forUpdate().first('id')
}

export const pageQuery = (db: Db, meeting_id: string) => recordings(db).where({ meeting_id })

/** Of those sessions, what is to be had by who was there. */
export const sharedQuery = (db: Db, meeting_id: string, session_ids: string[]) =>
  recordings(db).where({ meeting_id, status: 'ready', visibility: 'participants' }).whereIn('session_id', session_ids)

export const listDue = (db: Db, now: string, limit: number): Promise<RecordingRow[]> =>
  recordings(db).where('due_at', '<=', now).orderBy('due_at').limit(limit)

export const listReadyBefore = (db: Db, before: string, limit: number): Promise<RecordingRow[]> =>
  recordings(db).where('ready_at', '<', before).limit(limit)

/** For whom files are looked after: those of these that there are. */
export const listOf = (db: Db, ids: string[]): Promise<RecordingRow[]> => recordings(db).whereIn('id', ids)

export const listAfter = (db: Db, after: string, limit: number): Promise<RecordingRow[]> =>
  recordings(db).where('id', '>', after).orderBy('id').limit(limit)

export const listIdsOfMeeting = (db: Db, meeting_id: string): Promise<string[]> =>
  recordings(db).where({ meeting_id }).pluck('id')

export async function remove(db: Db, id: string): Promise<boolean> {
  return (await recordings(db).where({ id }).delete()) === 1
}

export const findChunk = (db: Db, recording_id: string, number: number): Promise<ChunkRow | undefined> =>
  chunks(db).where({ recording_id, number }).first()

export async function insertChunk(db: Db, chunk: ChunkRow): Promise<void> {
  await chunks(db).insert(chunk)
}

export const listChunks = (db: Db, recording_id: string): Promise<ChunkRow[]> =>
  chunks(db).where({ recording_id }).orderBy('number')

export async function deleteChunks(db: Db, recording_id: string): Promise<void> {
  await chunks(db).where({ recording_id }).delete()
}

export async function deleteChunksFrom(db: Db, recording_id: string, number: number): Promise<void> {
  await chunks(db).where({ recording_id }).where('number', '>=', number).delete()
}

export async function insertLink(db: Db, link: { token_hash: string; recording_id: string; expires_at: string }) {
  await links(db).insert(link)
}

export const findLink = (db: Db, token_hash: string, recording_id: string, now: string) =>
  links(db).where({ token_hash, recording_id }).where('expires_at', '>', now).first()

export async function deleteLinks(db: Db, recording_id: string): Promise<void> {
  await links(db).where({ recording_id }).delete()
}

export const deleteExpiredLinks = async (db: Db, now: string, limit: number): Promise<number> => {
  const hashes = await links(db).where('expires_at', '<=', now).limit(limit).pluck('token_hash')
  return links(db).whereIn('token_hash', hashes).delete()
}
