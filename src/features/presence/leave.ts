import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { NotFound, Unauthenticated } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { formerStandingOf } from '../meetings/standing.ts'
import * as meetings from '../meetings/store.ts'
import { type createAttendance, shownAttendance } from './attendance.ts'
import { findMeant, hasToken } from './connections.ts'
import { ConnectionClosed, type Heard, type Heartbeat, type Leave, type Left, NotJoined } from './schema.ts'
import type { Sessions } from './sessions.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  sessions: Sessions
  attendance: ReturnType<typeof createAttendance>
}

/** Going, and saying that one is still there. */
export function createLeave({ db, clock, events, sessions, attendance }: Deps) {
  return {
    /** Repeating it changes nothing. Who waits leaves the lobby. */
    async leave(caller: Caller | undefined, meeting_id: string, { connection, resume_token }: Leave): Promise<Left> {
      if (!caller) return leaveByToken(meeting_id, connection, resume_token)
      return inTransaction(db, async db => {
        const { me } = await formerStandingOf(db, caller, meeting_id, 'lock')
        return leaveAs(db, caller, me, await findMeant(db, me, connection))
      })
    },

    async heartbeat(caller: Caller, meeting_id: string, { connection, quality }: Heartbeat): Promise<Heard> {
      const { me } = await formerStandingOf(db, caller, meeting_id)
      const meant = await findMeant(db, me, connection)
      if (!meant) return heartbeatOfWaiting(me)
      const heard = await inTransaction(db, db => store.touch(db, meant.id, clock.now()))
      if (!heard) throw closed(await store.findConnection(db, meeting_id, meant.id))
      if (quality) await attendance.measure(meant.attendance_id, quality)
      const session = await store.findLive(db, meeting_id)
      return { state: 'inside', connection: meant.id, roster_version: session?.roster_version ?? null }
    },
  }

  /** A page that is being closed has its token, and no way to send a header. */
  async function leaveByToken(meeting_id: string, id: string | undefined, resume_token: string | undefined) {
    if (id === undefined || resume_token === undefined) throw Unauthenticated()
    return inTransaction(db, async db => {
      const found = await store.findConnection(db, meeting_id, id)
      if (!found || !hasToken(found, resume_token)) throw NotFound()
      await meetings.lock(db, found.tenant_id, meeting_id)
      const me = await participants.find(db, meeting_id, found.participant_id)
      // It may have been closed while we waited for the lock.
      const connection = await store.findConnection(db, meeting_id, id)
      if (!me || !connection) throw NotFound()
      const { tenant_id } = connection
      const actor: Actor =
        me.user_id === null
          ? { kind: 'guest', tenant_id, participant_id: me.id }
          : { kind: 'user', tenant_id, user_id: me.user_id }
      return leaveAs(db, actor, me, connection)
    })
  }

  async function leaveAs(
    db: Db,
    actor: Actor,
    me: participants.ParticipantRow,
    connection: store.ConnectionRow | undefined,
  ): Promise<Left> {
    if (connection) {
      if (connection.closed_at === null) await sessions.close(db, actor, [connection], 'left')
      const row = await store.findAttendance(db, connection.attendance_id)
      return { attendance: row ? shownAttendance(row, clock) : null }
    }
    if (await participants.change(db, me.id, ['waiting', 'admitted'], participants.away)) {
      const { meeting_id, id: participant_id } = me
      await events.record(db, actor, { type: 'participant.stopped_waiting', meeting_id, participant_id })
      return { attendance: null }
    }
    const last = await store.findLastAttendance(db, me.id, me.meeting_id)
    if (!last) throw neverInside(me)
    return { attendance: shownAttendance(last, clock) }
  }

  async function heartbeatOfWaiting(me: participants.ParticipantRow): Promise<Heard> {
    const waits = await inTransaction(db, db =>
      participants.change(db, me.id, ['waiting', 'admitted'], { seen_at: clock.now() }),
    )
    if (waits) return { state: me.state, connection: null, roster_version: null }
    const last = await store.findLastConnection(db, me.id)
    throw last ? closed(last) : neverInside(me)
  }
}

/** To who was withdrawn before they ever came, the meeting does not exist. */
const neverInside = ({ may }: participants.ParticipantRow) => (may === 'nothing' ? NotFound() : NotJoined())

const closed = (connection: store.ConnectionRow | undefined) =>
  ConnectionClosed({ reason: connection?.close_reason ?? 'meeting_ended' })
