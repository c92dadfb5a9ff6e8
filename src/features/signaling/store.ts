import type { Table } from '../../db/dialects.ts'
import type { Batch } from '../../db/prepared.ts'
import type { Db } from '../../db/transaction.ts'
import type { Outcome } from './schema.ts'

/** What there is beside the inboxes themselves: numbered sends, who is meant by a name, tickets, and what is left over. */

const sends: Table = {
  name: 'rtc_sends',
  columns: { connection_id: 'text', number: 'int', outcomes: 'text' },
}

/** What became of one POST whose signals are numbered, so that a repetition is answered alike. */
export interface SendRow {
  connection_id: string
  /** Of the first signal; the others follow. */
  number: number
  outcomes: Kept[]
}

export interface Kept {
  digest: string
  outcome: Outcome & { status: NonNullable<Outcome['first_status']> }
}

export async function findSends(batch: Batch, connection_id: string, from: number, to: number): Promise<SendRow[]> {
  const rows = await batch.query<Omit<SendRow, 'outcomes'> & { outcomes: string }>(
    'SELECT connection_id, number, outcomes FROM rtc_sends WHERE connection_id = ? AND number BETWEEN ? AND ?',
    [connection_id, from, to],
  )
  return rows.map(({ outcomes, ...row }) => ({ ...row, outcomes: JSON.parse(outcomes) }))
}

export const insertSends = (batch: Batch, rows: SendRow[]): Promise<void> =>
  batch.insert(
    sends,
    rows.map(({ connection_id, number, outcomes }) => [connection_id, number, JSON.stringify(outcomes)]),
  )

export const deleteSends = (batch: Batch, connection_id: string, through: number): Promise<void> =>
  batch.write('DELETE FROM rtc_sends WHERE connection_id = ? AND number <= ?', [connection_id, through])

/** The open connections of somebody in a session; or else one that is closed: whoever has gone is not unknown. */
export async function listOf(
  db: Db,
  session_id: string,
  person: { participant_id: string } | { user_id: string },
): Promise<string[]> {
  const theirs = await db('rtc_connections')
    .where({ session_id, ...person })
    .orderBy('id')
    .select('id', 'closed_at')
  const open = theirs.filter(({ closed_at }) => closed_at === null)
  return (open.length > 0 ? open : theirs.slice(0, 1)).map(({ id }) => id)
}

/** The open connections of somebody, in all of their meetings; more than one is as good as many. */
export const listOpenOf = (
  db: Db,
  person: { tenant_id: string; user_id: string } | { tenant_id: string; participant_id: string },
): Promise<string[]> => db('rtc_connections').where(person).whereNull('closed_at').orderBy('id').limit(2).pluck('id')

/** Closed inboxes of late that still hold something. */
export const listLeftOver = (db: Db, since: string, limit: number): Promise<string[]> =>
  db('rtc_connections as c')
    .where('closed_at', '>', since)
    .where(left =>
      left
        .whereExists(db('rtc_signals').where('connection_id', db.ref('c.id')).select('seq'))
        .orWhereExists(db('rtc_sends').where('connection_id', db.ref('c.id')).select('number')),
    )
    .limit(limit)
    .pluck('c.id')

/** Up to so many rows of what these inboxes hold, and have sent. */
export async function purge(db: Db, ids: string[], limit: number): Promise<number> {
  let purged = 0
  for (const [table, number] of [
    ['rtc_signals', 'seq'],
    ['rtc_sends', 'number'],
  ] as const) {
    for (const connection_id of ids) {
      if (purged >= limit) return purged
      const numbers = await db(table)
        .where({ connection_id })
        .orderBy(number)
        .limit(limit - purged)
        .pluck(number)
      if (numbers.length === 0) continue
      purged += await db(table).where({ connection_id }).where(number, '<=', numbers.at(-1)).delete()
    }
  }
  return purged
}

/** The connections themselves are forgotten. */
export async function forget(db: Db, ids: string[]): Promise<void> {
  for (const table of ['rtc_signals', 'rtc_sends']) await db(table).whereIn('connection_id', ids).delete()
}

/** False when it is closed. */
export async function setTicket(
  db: Db,
  id: string,
  ticket: { ticket_hash: string; ticket_until: string },
): Promise<boolean> {
  return (await db('rtc_connections').where({ id }).whereNull('closed_at').update(ticket)) === 1
}

/** True for exactly one of those who show it. */
export async function useTicket(db: Db, id: string, ticket_hash: string, now: string): Promise<boolean> {
  const good = db('rtc_connections').where({ id, ticket_hash }).whereNull('closed_at').where('ticket_until', '>', now)
  return (await good.update({ ticket_hash: null })) === 1
}
