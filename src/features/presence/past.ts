import type { Db } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { ParticipantRow } from '../meetings/participant-store.ts'
import type { Meeting } from '../meetings/schema.ts'
import { isHost, requireVisible } from '../meetings/standing.ts'
import { NoSession, NotThere } from './schema.ts'
import * as store from './store.ts'

/** Somebody who may know of a session, live or over: they were there and were not shown out, or are a host. */
export interface Witness {
  meeting: Meeting
  me: ParticipantRow
  is_host: boolean
  session: store.SessionRow
}

/** What the rooms above ask of sessions: what a meeting leaves behind belongs to one, and to who was there. */
export const past = {
  /** The one that is meant; if none is named, the live one, and if none is live, the latest. */
  findSession: store.findSession,

  /** Every span of everybody, in the order in which they came. */
  listAttendances: store.listAttendancesOf,

  /** The sessions of that meeting that they have been inside. */
  listAttended: store.listAttended,

  async requireWitness(db: Db, caller: Caller, meeting_id: string, session_id?: string): Promise<Witness> {
    const { meeting, me } = await requireVisible(db, caller, meeting_id)
    const is_host = isHost(me)
    const session = await store.findSession(db, meeting_id, session_id)
    if (!session && (is_host || session_id === undefined)) throw NoSession()
    const was_there = session && !me.shown_out && (await store.wasInside(db, session.id, me.id))
    if (!session || (!is_host && !was_there)) throw NotThere()
    return { meeting, me, is_host, session }
  },
}
