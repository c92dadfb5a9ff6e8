import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events, SessionEnd } from '../../events/events.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import * as participants from '../meetings/participant-store.ts'
import * as meetings from '../meetings/store.ts'
import type { Forgetting } from './forgetting.ts'
import type { Heard } from './heard.ts'
import type { Sessions } from './sessions.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  log: Log
  sessions: Sessions
  heard: Heard
  forgetSlowly: Forgetting['forgetSlowly']
  presence_timeout_s: number
}

const batch = 100
/** A guest's token is good for a day. */
const guestsKeptFor_s = 2 * 24 * 3600
const roomsKeptFor_s = 30 * 24 * 3600
/** So long a client may ask why its connection is closed. */
const connectionsKeptFor_s = 30 * 24 * 3600

/**
 * What a crash leaves behind, and what people forget: whoever fell silent has left, and a session that nobody is in, or
 * that has lasted too long, is over. Each is looked at once more under the lock of its meeting, for it may have changed.
 */
export function presenceJobs({
  db,
  clock,
  events,
  log,
  sessions,
  heard,
  forgetSlowly,
  presence_timeout_s,
}: Deps): Job[] {
  const system = (tenant_id: string): Actor => ({ kind: 'system', tenant_id })

  /** Nobody could be heard while no process ran: after a start, everybody has the whole time to say something. */
  const listensSince = clock.millis()
  const couldNotHear = () => clock.millis() - listensSince < presence_timeout_s * 1000

  async function closeSilent(): Promise<number> {
    if (couldNotHear()) return 0
    await heard.flush()
    const since = clock.in(-presence_timeout_s)
    const silent = await store.listSilent(db, since, batch)
    return eachApart(silent, ({ id, tenant_id, meeting_id, session_id }) =>
      inTransaction(db, async db => {
        await meetings.lock(db, tenant_id, meeting_id)
        const connection = (await store.lockOpenIn(db, session_id)).find(open => open.id === id)
        if (!connection || connection.last_seen_at >= since) return
        // They were here until they were last heard of; what came after was silence.
        await sessions.close(db, system(tenant_id), [connection], 'timeout', { left_at: connection.last_seen_at })
      }),
    )
  }

  async function emptyLobby(): Promise<number> {
    if (couldNotHear()) return 0
    const since = clock.in(-presence_timeout_s)
    const silent = await participants.listSilentWaiting(db, since, batch)
    return eachApart(silent, ({ id, tenant_id, meeting_id }) =>
      inTransaction(db, async db => {
        await meetings.lock(db, tenant_id, meeting_id)
        const person = await participants.lock(db, meeting_id, id)
        if (person?.seen_at == null || person.seen_at >= since) return
        if (!(await participants.change(db, id, ['waiting', 'admitted'], participants.away))) return
        await events.record(db, system(tenant_id), {
          type: 'participant.stopped_waiting',
          meeting_id,
          participant_id: id,
        })
      }),
    )
  }

  async function endDue(column: 'empty_until' | 'over_at', reason: SessionEnd): Promise<number> {
    const due = await store.listDue(db, column, clock.now(), batch)
    return eachApart(due, ({ tenant_id, meeting_id }) =>
      inTransaction(db, async db => {
        const meeting = await meetings.lock(db, tenant_id, meeting_id)
        const session = meeting && (await store.findLive(db, meeting_id))
        const deadline = session?.[column] ?? null
        if (!session || deadline === null || deadline > clock.now()) return
        await sessions.end(db, system(tenant_id), meeting, session, reason)
      }),
    )
  }

  /** One that fails is logged, and holds up none of the others. */
  async function eachApart<Row extends { id: string }>(
    rows: Row[],
    settle: (row: Row) => Promise<void>,
  ): Promise<number> {
    let settled = 0
    for (const row of rows) {
      try {
        await settle(row)
        settled++
      } catch (error) {
        log.error({ id: row.id, err: error }, 'could not be swept; it is tried again in the next period')
      }
    }
    return settled
  }

  async function deleteUnusedRooms(): Promise<number> {
    const rooms = await meetings.listUnusedRooms(db, clock.in(-roomsKeptFor_s), batch)
    return eachApart(rooms, ({ id, tenant_id }) =>
      inTransaction(db, async db => {
        const room = await meetings.lock(db, tenant_id, id)
        if (room?.status !== 'scheduled') return
        await events.record(db, system(tenant_id), { type: 'meeting.deleted', meeting_id: id })
        await meetings.remove(db, id)
      }),
    )
  }

  return [
    { name: 'silent connections', every_s: 5, run: closeSilent },
    { name: 'people who stopped waiting', every_s: 5, run: emptyLobby },
    { name: 'sessions nobody is in', every_s: 5, run: () => endDue('empty_until', 'empty') },
    {
      name: 'guests who never came in',
      every_s: 3600,
      run: () => inTransaction(db, db => participants.deleteForgottenGuests(db, clock.in(-guestsKeptFor_s), 500)),
    },
    { name: 'quick rooms that nobody uses', every_s: 3600, run: deleteUnusedRooms },
    {
      name: 'connections of last month',
      every_s: 600,
      run: () =>
        inTransaction(db, async db =>
          forgetSlowly(db, await store.listClosedBefore(db, clock.in(-connectionsKeptFor_s), batch)),
        ),
    },
    { name: 'sessions that have lasted long enough', every_s: 5, run: () => endDue('over_at', 'max_duration') },
  ]
}
