import type { Db } from '../../db/transaction.ts'
import type { Segment } from './schema.ts'

export interface SegmentRow extends Segment {
  tenant_id: string
  meeting_id: string
  session_id: string
  /** The same for the same words of the same speaker at the same time. */
  digest: string
  /** The participant whose captioner it was. */
  added_by: string
  added_at: string
}

const segments = (db: Db) => db<SegmentRow>('transcript_segments')

/** Of parameters, a statement takes so many rows. */
const together = 50

export async function insert(db: Db, rows: SegmentRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += together) await segments(db).insert(rows.slice(i, i + together))
}

export async function count(db: Db, session_id: string): Promise<number> {
  const [counted] = await segments(db).where({ session_id }).count({ count: '*' })
  return Number(counted?.count)
}

/** Those of these that are there. */
export async function listKnown(db: Db, session_id: string, digests: string[]): Promise<Set<string>> {
  const known = new Set<string>()
  for (let i = 0; i < digests.length; i += 500) {
    const some = await segments(db)
      .where({ session_id })
      .whereIn('digest', digests.slice(i, i + 500))
      .pluck('digest')
    for (const digest of some) known.add(digest)
  }
  return known
}

export const listInOrder = (db: Db, session_id: string): Promise<Segment[]> =>
  segments(db)
    .where({ session_id })
    .orderBy(['start_ms', 'end_ms', 'id'])
    .select('id', 'participant_id', 'speaker', 'start_ms', 'end_ms', 'text')
