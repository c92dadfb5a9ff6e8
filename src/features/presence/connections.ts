import { timingSafeEqual } from 'node:crypto'
import type { Db } from '../../db/transaction.ts'
import { hashSecret } from '../../kernel/ids.ts'
import { NotFound } from '../../kernel/problem.ts'
import type { ParticipantRow } from '../meetings/participant-store.ts'
import { ConnectionRequired } from './schema.ts'
import * as store from './store.ts'

/** Somebody else's connection does not exist; one's own, however long closed, does. */
export async function findOwn(db: Db, me: ParticipantRow, id: string): Promise<store.ConnectionRow> {
  const connection = await store.findConnection(db, me.meeting_id, id)
  if (connection?.participant_id !== me.id) throw NotFound()
  return connection
}

/** The one that is named, or the only one there is. It is never guessed which of several is meant. */
export async function findMeant(db: Db, me: ParticipantRow, id: string | undefined) {
  if (id !== undefined) return findOwn(db, me, id)
  const [first, second] = await store.listOpen(db, me.id)
  if (second) throw ConnectionRequired()
  return first
}

/** The present one, or the one before: the answer that told of the present one may have been lost. */
export function hasToken(connection: store.ConnectionRow, resume_token: string): boolean {
  const given = Buffer.from(hashSecret(resume_token))
  const { resume_token_hash, previous_token_hash } = connection
  return [resume_token_hash, previous_token_hash].some(
    hash => hash !== null && timingSafeEqual(Buffer.from(hash), given),
  )
}
