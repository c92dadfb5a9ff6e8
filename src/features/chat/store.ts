import type { Db } from '../../db/transaction.ts'
import type { Message } from './schema.ts'

interface MessageRow extends Message {
  tenant_id: string
}

const messages = (db: Db) => db<MessageRow>('messages')

const shown = ['id', 'meeting_id', 'session_id', 'number', 'participant_id', 'display_name', 'text', 'sent_at'] as const

export async function insert(db: Db, message: MessageRow): Promise<void> {
  await messages(db).insert(message)
}

/** The number of the last one; zero when there is none. */
export async function lastNumber(db: Db, session_id: string): Promise<number> {
  const last = await messages(db).where({ session_id }).orderBy('number', 'desc').first('number')
  return last?.number ?? 0
}

/** In their order, those after a number. */
export const listAfter = (db: Db, session_id: string, number: number, limit: number): Promise<Message[]> =>
  messages(db)
    .where({ session_id })
    .where('number', '>', number)
    .orderBy('number')
    .limit(limit)
    .select(...shown)
