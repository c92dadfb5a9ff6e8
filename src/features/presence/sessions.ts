import type { Db } from '../../db/transaction.ts'
import type { Actor, Events, LeaveReason, SessionEnd } from '../../events/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import * as participants from '../meetings/participant-store.ts'
import { nearestOccurrence } from '../meetings/recurrence.ts'
import { InvalidTransition, type Meeting } from '../meetings/schema.ts'
import * as meetings from '../meetings/store.ts'
import { FOREVER, placeInAgenda } from '../meetings/timing.ts'
import * as store from './store.ts'

interface Deps {
  clock: Clock
  events: Events
  empty_timeout_s: number
}

export type Sessions = ReturnType<typeof createSessions>

/**
 * How a session begins and ends, and how somebody comes to be no longer inside. All of it happens in the transaction of
 * whoever asks, who has locked the meeting: so a join and an end, or two ends, come one after the other.
 */
export function createSessions({ clock, events, empty_timeout_s }: Deps) {
  return {
    /** The meeting goes live. Nobody may come for `patience_s` before it is over again. */
    async start(db: Db, actor: Actor, meeting: Meeting, patience_s = empty_timeout_s): Promise<store.SessionRow> {
      const now = clock.now()
      const { max_duration_minutes } = meeting
      const session: store.SessionRow = {
        id: newId('ses'),
        tenant_id: actor.tenant_id,
        meeting_id: meeting.id,
        live_meeting_id: meeting.id,
        occurrence_at: occurrenceOf(meeting, now),
        started_at: now,
        ended_at: null,
        end_reason: null,
        empty_until: clock.in(patience_s),
        over_at: max_duration_minutes === null ? null : clock.in(max_duration_minutes * 60),
        roster_version: 0,
      }
      const went = await meetings.change(db, meeting.id, ['scheduled'], {
        status: 'live',
        started_at: now,
        ended_at: null,
        updated_at: now,
      })
      if (!went || !(await store.insertSession(db, session))) throw InvalidTransition()
      await meetings.updateAgenda(db, meeting.id, { over_at: FOREVER }) // until it is over, however long that takes
      await events.record(db, actor, { type: 'meeting.started', meeting_id: meeting.id, session_id: session.id })
      return session
    },

    /** Everybody is out and nobody waits any more. A one-off has ended for good; a standing meeting may begin again. */
    async end(db: Db, actor: Actor, meeting: Meeting, session: store.SessionRow, reason: SessionEnd): Promise<void> {
      const now = clock.now()
      if (!(await store.endSession(db, session.id, now, reason))) return
      const open = await store.lockOpenIn(db, session.id)
      await store.closeAllIn(db, session.id, 'meeting_ended', now)
      await participants.clearAway(db, meeting.id)
      const standing = meeting.kind === 'standing'
      const status = standing ? 'scheduled' : 'ended'
      await meetings.change(db, meeting.id, ['live'], { status, locked: false, ended_at: now, updated_at: now })
      const { over_at } = standing ? placeInAgenda(meeting, meeting) : { over_at: now }
      await meetings.updateAgenda(db, meeting.id, { over_at })
      await events.record(db, actor, ...open.map(connection => leftBy(connection, 'meeting_ended')), {
        type: 'meeting.ended',
        meeting_id: meeting.id,
        session_id: session.id,
        reason,
      })
    },

    /** Closes connections of one person, and draws the consequences: whether they, or anybody, are still inside. */
    async close(
      db: Db,
      actor: Actor,
      open: store.ConnectionRow[],
      reason: LeaveReason,
      { left_at = clock.now(), replaced_by }: { left_at?: string; replaced_by?: string } = {},
    ): Promise<void> {
      const [first] = open
      if (!first) return
      await store.lockOpenIn(db, first.session_id)
      const closed: store.ConnectionRow[] = []
      for (const connection of open) {
        if (!(await store.closeConnection(db, connection, reason, { closed_at: clock.now(), left_at }))) continue
        closed.push(connection)
      }
      const elsewhere = await store.listOpen(db, first.participant_id)
      if (elsewhere.length === 0) await participants.change(db, first.participant_id, ['inside'], { state: 'away' })
      const left = await participants.countIn(db, first.meeting_id, ['inside'])
      await store.changeRoster(db, first.session_id, left === 0 ? clock.in(empty_timeout_s) : null)
      for (const connection of closed) await events.record(db, actor, leftBy(connection, reason, replaced_by))
    },
  }
}

function leftBy(
  { id: connection_id, participant_id, meeting_id }: store.ConnectionRow,
  reason: LeaveReason,
  replaced_by?: string,
) {
  return { type: 'participant.left' as const, meeting_id, participant_id, connection_id, reason, replaced_by }
}

function occurrenceOf({ scheduled_at, recurrence, time_zone }: Meeting, now: string): string | null {
  if (scheduled_at === null || recurrence === null) return null
  return nearestOccurrence({ scheduled_at, recurrence, time_zone }, now)?.starts_at ?? null
}
