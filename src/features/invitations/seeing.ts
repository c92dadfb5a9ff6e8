import type { Db } from '../../db/transaction.ts'
import type { UserCaller } from '../../kernel/caller.ts'
import { NotFound } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { isHost } from '../meetings/standing.ts'
import * as store from './store.ts'

/** An invitation exists for who is invited and for who invites; to other people of the meeting, too, it does not. */
export async function findSeen(db: Db, me: UserCaller, invitation_id: string) {
  const row = await store.find(db, me.tenant_id, invitation_id)
  if (!row) throw NotFound()
  const mine = row.user_id === me.user_id && row.status !== 'withdrawn'
  if (!mine) {
    const person = await participants.findUser(db, row.meeting_id, me.user_id)
    if (!person || !isHost(person)) throw NotFound()
  }
  return { row, mine }
}
