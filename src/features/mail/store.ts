import type { Db } from '../../db/transaction.ts'
import type { Mail, Posted } from './letter.ts'

export interface MailRow {
  id: string
  tenant_id: string
  kind: string
  dedupe_key: string
  /** Empty once it has been sent. */
  to_address: string
  /** What the letter is composed of, as JSON; an empty object once it has been sent. */
  facts: string
  /** How often it was tried in vain. */
  attempts: number
  next_attempt_at: string
  /** Until then it is in the hands of one node. */
  leased_until: string | null
  last_error: string | null
  sent_at: string | null
  failed_at: string | null
  created_at: string
}

const mails = (db: Db) => db<MailRow>('mails')

const together = 50 // in one statement

/** Of mails with a key that is there already, sent or not, nothing happens. */
export async function insert(db: Db, rows: MailRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += together) {
    await mails(db)
      .insert(rows.slice(i, i + together))
      .onConflict('dedupe_key')
      .ignore()
  }
}

const due = (db: Db, now: string) =>
  mails(db)
    .whereNull('sent_at')
    .whereNull('failed_at')
    .where('next_attempt_at', '<=', now)
    .where(free => free.whereNull('leased_until').orWhere('leased_until', '<=', now))

export const dueIds = (db: Db, now: string, limit: number): Promise<string[]> =>
  due(db, now).orderBy(['next_attempt_at', 'id']).limit(limit).pluck('id')

/** A mail as it was posted, and what its row says of it. */
export type Claimed<AnyMail extends Mail> = Posted<AnyMail> & Pick<MailRow, 'attempts' | 'leased_until'>

/** The mail, for exactly one of those who try: the guard settles it, on every engine. */
export async function claim<AnyMail extends Mail>(
  db: Db,
  { id, now, leased_until }: { id: string; now: string; leased_until: string },
): Promise<Claimed<AnyMail> | undefined> {
  if ((await due(db, now).where({ id }).update({ leased_until })) !== 1) return undefined
  const row = await db('mails').where({ id }).first()
  return { ...row, facts: JSON.parse(row.facts) }
}

/** Whoever sent it has sent it, with or without a lease. What was personal goes; the key stays, to be one mail. */
export async function markSent(db: Db, id: string, sent_at: string): Promise<void> {
  const settled = { sent_at, failed_at: null, leased_until: null, last_error: null, to_address: '', facts: '{}' }
  await mails(db).where({ id }).update(settled)
}

type Setback = Pick<MailRow, 'attempts' | 'last_error'> & Partial<Pick<MailRow, 'next_attempt_at' | 'failed_at'>>

/** Says nothing about a mail whose lease has run out: another node may have it now. */
export async function setBack(
  db: Db,
  { id, leased_until }: Pick<MailRow, 'id' | 'leased_until'>,
  setback: Setback,
): Promise<void> {
  await mails(db)
    .where({ id, leased_until })
    .whereNull('sent_at')
    .update({ ...setback, leased_until: null })
}

export async function deleteSettled(db: Db, before: string, limit: number): Promise<number> {
  const old = await mails(db).where('sent_at', '<', before).orWhere('failed_at', '<', before).limit(limit).pluck('id')
  return mails(db).whereIn('id', old).delete()
}
