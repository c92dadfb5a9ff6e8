import type { Db } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import { Banned } from '../meetings/schema.ts'
import { isHost, requireVisible, type Standing, standingOf } from '../meetings/standing.ts'
import { NoSession, NotThere } from './schema.ts'
import * as store from './store.ts'

/** Somebody who may know of a session, live or over: they were there and were not shown out, or are a host. */
export interface Witness extends Standing {
  session: store.SessionRow
}

/** Who somebody is in a meeting, and of which of its sessions they may know: of all, if that is not said. */
interface Knowing extends Standing {
  session_ids: string[] | undefined
}

/** What the rooms above ask of sessions: what a meeting leaves behind belongs to one, and to who was there. */
export const past = {
  /** The one that is meant; if none is named, the live one, and if none is live, the latest. */
  findSession: store.findSession,

  /** Every span of everybody, in the order in which they came. */
  listAttendances: store.listAttendancesOf,

  /** Whoever was there may know of it also when they are nobody to the meeting any more, as a guest after its end. */
  async requireKnowing(db: Db, caller: Caller, meeting_id: string): Promise<Knowing> {
    const standing = await standingOf(db, caller, meeting_id)
    const { me } = standing
    if (me.state === 'banned') throw Banned()
    if (isHost(me)) return { ...standing, session_ids: undefined }
    const session_ids = me.shown_out ? [] : await store.listAttended(db, meeting_id, me.id)
    if (session_ids.length === 0) await requireVisible(db, caller, meeting_id)
    return { ...standing, session_ids }
  },

  async requireWitness(db: Db, caller: Caller, meeting_id: string, session_id?: string): Promise<Witness> {
    const { meeting, me, session_ids } = await past.requireKnowing(db, caller, meeting_id)
    const session = await store.findSession(db, meeting_id, session_id)
    if (!session && (!session_ids || session_id === undefined)) throw NoSession()
    if (!session || (session_ids && !session_ids.includes(session.id))) throw NotThere()
    return { meeting, me, session }
  },
}
