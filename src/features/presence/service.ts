import { pageOf } from '../../db/pages.ts'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Wakeups } from '../../wakeups/local.ts'
import type { Accounts } from '../accounts/service.ts'
import type { MediaProvider } from '../media/provider.ts'
import * as participants from '../meetings/participant-store.ts'
import { HostsOnly, InvalidTransition, type Meeting, NeedsMediaProvider } from '../meetings/schema.ts'
import type { Meetings } from '../meetings/service.ts'
import { isHost, requireHost, requireVisible } from '../meetings/standing.ts'
import * as meetingStore from '../meetings/store.ts'
import { endOf } from '../meetings/timing.ts'
import { maySend } from '../meetings/types.ts'
import { createAttendance } from './attendance.ts'
import { createDoors } from './doors.ts'
import { createForgetting } from './forgetting.ts'
import { createHeard } from './heard.ts'
import { createHosting } from './hosting.ts'
import { presenceJobs } from './jobs.ts'
import { createJoin } from './join.ts'
import { createLeave } from './leave.ts'
import { createLobby } from './lobby.ts'
import { past } from './past.ts'
import { createResume } from './resume.ts'
import { type ListParticipants, NotInside } from './schema.ts'
import { createSessions } from './sessions.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  log: Log
  events: Events
  wakeups: Wakeups
  accounts: Accounts
  meetings: Meetings
  media: MediaProvider
  presence_timeout_s: number
  empty_timeout_s: number
}

/** A meeting that began when it was made, and to which nobody came, is over after a day. */
const firstPatience_s = 24 * 3600

export type Presence = ReturnType<typeof createPresence>

export interface Present {
  roster_version: number
  senders: Meeting['senders']
  connections: store.PresentRow[]
}

export function createPresence(deps: Deps) {
  const { db, clock, events, meetings } = deps
  const sessions = createSessions(deps)
  const attendance = createAttendance(deps)
  const heard = createHeard(deps)
  const forgetting = createForgetting()
  const lobby = createLobby(deps)
  const join = createJoin({ ...deps, lobby, sessions })
  listen()

  return {
    ...createLeave({ db, clock, events, sessions, attendance }),
    ...createHosting({ ...deps, lobby, sessions }),
    ...createDoors({ ...deps, join }),
    join: join.join,
    listAttendance: attendance.list,
    attendanceAsCsv: attendance.asCsv,
    jobs: presenceJobs({ ...deps, sessions, heard, ...forgetting }),
    heard,
    onForget: forgetting.onForget,
    findConnection: store.findConnectionById,

    /** Who is inside a live meeting, for the rooms above that tell them something. */
    async listPresent(db: Db, tenant_id: string, meeting_id: string): Promise<Present | undefined> {
      const session = await store.findLive(db, meeting_id)
      const meeting = session && (await meetings.findFor(db, tenant_id, meeting_id))
      if (!meeting) return undefined
      const connections = await store.roster(db, session.id)
      return { roster_version: session.roster_version, senders: meeting.senders, connections }
    },
    ...createResume(deps),
    past,

    async start(caller: Caller, meeting_id: string): Promise<Meeting> {
      return inTransaction(db, async db => {
        const { meeting } = await requireHost(db, caller, meeting_id, 'lock')
        if (meeting.status !== 'live') await sessions.start(db, caller, meeting)
        return (await meetings.findFor(db, caller.tenant_id, meeting_id)) ?? meeting
      })
    },

    async end(caller: Caller, meeting_id: string): Promise<Meeting> {
      return inTransaction(db, async db => {
        const { meeting } = await requireHost(db, caller, meeting_id, 'lock')
        const session = await store.findLive(db, meeting_id)
        if (session) await sessions.end(db, caller, meeting, session, 'host')
        else if (meeting.status === 'cancelled' || meeting.ended_at === null) throw InvalidTransition()
        return (await meetings.findFor(db, caller.tenant_id, meeting_id)) ?? meeting
      })
    },

    /** Hosts see everybody there is; the others, while they are inside, who is inside. */
    async listParticipants(caller: Caller, meeting_id: string, { state, ...page }: ListParticipants) {
      const { me } = await requireVisible(db, caller, meeting_id)
      if (!isHost(me)) {
        if (me.state !== 'inside') throw NotInside()
        if (state !== undefined && state !== 'inside') throw HostsOnly()
      }
      const states = state ? [state] : isHost(me) ? everyState : (['inside'] as const)
      const query = participants.pageQuery(db, meeting_id, [...states])
      const { data, next_cursor } = await pageOf<participants.ParticipantRow>(query, { id: 'asc' }, page)
      return { data: data.map(participants.shownParticipant), next_cursor }
    },
  }

  /** What follows here from what happens in the rooms below. */
  function listen(): void {
    events.on('meeting.created', async (db, { meeting_id }, actor) => {
      const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
      const begins = meeting && meeting.scheduled_at === null && meeting.owner_id !== null
      if (begins) await sessions.start(db, actor, meeting, firstPatience_s)
    })
    events.on('meeting.deleted', async (db, { meeting_id }, actor) => {
      const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
      const session = meeting && (await store.findLive(db, meeting_id))
      if (session) await sessions.end(db, actor, meeting, session, 'deleted')
      await forgetting.forget(db, await store.listOfMeeting(db, meeting_id))
    })
    events.on('meeting.updated', async (db, { meeting_id }, actor) => {
      const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
      const session = meeting && (await store.findLive(db, meeting_id))
      if (session) await keepToWhatIsSaid(db, meeting, session)
    })
    // Who was let in for another time is not let in for this one.
    events.on('meeting.moved', (db, { meeting_id }, actor) => sendUndecidedAway(db, meeting_id, actor))
    events.on('proposal.made', (db, { meeting_id }, actor) => sendUndecidedAway(db, meeting_id, actor))
    events.on('login.ended', (db, { login_id }, actor) => closeOfLogin(db, login_id, actor))
    events.on('invitation.claimed', async (db, { invitation_id, user_id }) => {
      const person = await participants.findByInvitation(db, invitation_id)
      if (person) await store.giveTo(db, person.id, user_id)
    })
    events.on('invitation.withdrawn', (db, event, actor) => out(db, event, actor, 'withdrawn'))
    events.on('invitation.rejected', (db, event, actor) => out(db, event, actor, 'left'))
  }

  /** A live meeting was changed: how long it lasts holds for this session, and there may not be too many senders now. */
  async function keepToWhatIsSaid(db: Db, meeting: Meeting, { id, started_at }: store.SessionRow): Promise<void> {
    const { max_duration_minutes } = meeting
    await store.setOverAt(db, id, max_duration_minutes === null ? null : endOf(started_at, max_duration_minutes))
    await store.lockOpenIn(db, id)
    await store.setSenders(db, id, meeting.senders)
    const inside = await participants.listIn(db, meeting.id, ['inside'])
    const senders = inside.filter(({ role }) => maySend(role, meeting.senders))
    if (senders.length > deps.media.limits.senders) throw NeedsMediaProvider()
  }

  async function sendUndecidedAway(db: Db, meeting_id: string, actor: Actor): Promise<void> {
    const undecided = await participants.listUndecidedWaiting(db, meeting_id)
    for (const { id } of undecided) await stopWaiting(db, meeting_id, id, actor)
  }

  async function stopWaiting(db: Db, meeting_id: string, participant_id: string, actor: Actor): Promise<void> {
    const gone = { ...participants.away, admitted: false }
    if (!(await participants.change(db, participant_id, ['waiting', 'admitted'], gone))) return
    await events.record(db, actor, { type: 'participant.stopped_waiting', meeting_id, participant_id })
  }

  /** What is used with its tokens goes with them. */
  async function closeOfLogin(db: Db, login_id: string, actor: Actor): Promise<void> {
    const open = await store.listOpenOfFamily(db, login_id)
    for (const meeting_id of new Set(open.map(connection => connection.meeting_id))) {
      await meetingStore.lock(db, actor.tenant_id, meeting_id)
      const here = (await store.listOpenOfFamily(db, login_id)).filter(each => each.meeting_id === meeting_id)
      await sessions.close(db, actor, here, 'left')
    }
  }

  async function out(
    db: Db,
    { meeting_id, participant_id }: { meeting_id: string; participant_id: string },
    actor: Actor,
    reason: 'left' | 'withdrawn',
  ): Promise<void> {
    await sessions.close(db, actor, await store.listOpen(db, participant_id), reason)
    await stopWaiting(db, meeting_id, participant_id, actor)
    await participants.update(db, participant_id, { admitted: false })
  }
}

const everyState: participants.State[] = ['away', 'waiting', 'admitted', 'inside', 'removed', 'banned']
