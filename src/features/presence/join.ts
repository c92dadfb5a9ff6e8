import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, newId, newSecret } from '../../kernel/ids.ts'
import { NotFound, Unauthenticated } from '../../kernel/problem.ts'
import { guestFamily } from '../../kernel/token.ts'
import type { Accounts } from '../accounts/service.ts'
import type { MediaProvider } from '../media/provider.ts'
import * as participants from '../meetings/participant-store.ts'
import { Banned, isOver, type Meeting, MeetingOver, NeedsMediaProvider } from '../meetings/schema.ts'
import { isHost, type Standing, standingOf } from '../meetings/standing.ts'
import { maySend, permissionsOf } from '../meetings/types.ts'
import { shownAttendance } from './attendance.ts'
import { findOwn, hasToken } from './connections.ts'
import type { Lobby } from './lobby.ts'
import { seenBy } from './roster.ts'
import {
  Denied,
  type Join,
  type Joined,
  MeetingFull,
  MeetingLocked,
  NotAccepted,
  NotLive,
  TooManyConnections,
  type Waiting,
} from './schema.ts'
import type { Sessions } from './sessions.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  accounts: Accounts
  lobby: Lobby
  sessions: Sessions
  media: MediaProvider
  presence_timeout_s: number
}

const maxConnections = 5

export type Enter = Pick<Join, 'medium'> & Partial<Join>

/**
 * Coming in. Everything is decided under the lock of the meeting, in this order: whether they are welcome at all,
 * whether there is something to join, whether they have to wait, and only then whether there is room.
 */
export function createJoin({ db, clock, events, accounts, lobby, sessions, media, presence_timeout_s }: Deps) {
  return {
    /** Answers at once, unless the caller is willing to wait for a host to let them in. */
    async join(caller: Caller, meeting_id: string, body: Join, gone: AbortSignal): Promise<Joined | Waiting> {
      const outcome = await tryAs(caller, meeting_id, body)
      if ('connection' in outcome || body.wait === 0) return outcome
      await lobby.waitForHost(outcome.participant, body.wait, gone)
      if (gone.aborted) return outcome // nobody would hear that they are inside
      return tryAs(caller, meeting_id, body)
    },

    attempt,
    requireLogin,
  }

  function tryAs(caller: Caller, meeting_id: string, body: Join): Promise<Joined | Waiting> {
    return inTransaction(db, async db => {
      await requireLogin(db, caller)
      return attempt(db, caller, await standingOf(db, caller, meeting_id, 'lock'), body)
    })
  }

  /** What comes in with a login goes with it; so it has to stand until the connection does. */
  async function requireLogin(db: Db, caller: Caller): Promise<void> {
    if (caller.kind === 'user' && !(await accounts.lockLogin(db, caller))) throw Unauthenticated()
  }

  async function attempt(db: Db, caller: Caller, { meeting, me }: Standing, body: Enter): Promise<Joined | Waiting> {
    requireWelcome(meeting, me)
    let session = await store.findLive(db, meeting.id)
    if (!session && isHost(me)) session = await sessions.start(db, caller, meeting)
    const replaced = await findReplaced(db, me, body.replaces)
    const back = me.state === 'inside' || (await isReconnect(db, me, session, replaced))

    if (meeting.locked && !back && !isHost(me) && !me.admitted && me.state !== 'waiting') {
      const known = session && !me.shown_out && (await store.wasInside(db, session.id, me.id))
      if (!known) throw MeetingLocked()
    }
    if (!back && hasToWait(meeting, me)) return wait(db, caller, meeting, me, body)
    if (!session) {
      if (meeting.lobby || me.may === 'knock') return stayAdmitted(db, me)
      throw NotLive()
    }
    if (!back) await requireRoom(db, meeting, me)
    return enter(db, caller, { meeting, me }, session, body, replaced)
  }

  function requireWelcome(meeting: Meeting, me: participants.ParticipantRow): void {
    if (me.state === 'banned') throw Banned()
    if (isOver(meeting)) throw MeetingOver()
    if (me.may === 'see') throw NotAccepted()
    if (me.denied_until !== null && me.denied_until > clock.now()) {
      throw Denied({ retry_after_s: Math.ceil((Date.parse(me.denied_until) - clock.millis()) / 1000) })
    }
  }

  async function findReplaced(db: Db, me: participants.ParticipantRow, replaces: Join['replaces']) {
    if (!replaces) return undefined
    const connection = await findOwn(db, me, replaces.connection)
    if (!hasToken(connection, replaces.resume_token)) throw NotFound()
    // The answer to an earlier attempt may have been lost: what is replaced is where that one led.
    let last = connection
    for (let tries = 0; last.replaced_by !== null && tries < 20; tries++) last = await findOwn(db, me, last.replaced_by)
    return last
  }

  /** One whose network failed is back, and keeps the seat; who left, or was shown out, has given it up. */
  async function isReconnect(
    db: Db,
    me: participants.ParticipantRow,
    session: store.SessionRow | undefined,
    replaced: store.ConnectionRow | undefined,
  ): Promise<boolean> {
    if (!session || replaced?.session_id !== session.id || me.shown_out) return false
    if (replaced.closed_at === null) return true
    return replaced.close_reason === 'timeout' && (await store.findLastConnection(db, me.id))?.id === replaced.id
  }

  async function wait(db: Db, caller: Caller, meeting: Meeting, me: participants.ParticipantRow, body: Enter) {
    const waiting = {
      state: 'waiting' as const,
      display_name: body.display_name ?? me.display_name,
      waiting_since: me.waiting_since ?? clock.now(),
      seen_at: clock.now(),
    }
    await participants.update(db, me.id, waiting)
    if (me.state !== 'waiting') {
      await events.record(db, caller, { type: 'participant.knocked', meeting_id: meeting.id, participant_id: me.id })
    }
    return { participant: participants.shownParticipant({ ...me, ...waiting }) }
  }

  /** Let in, before there is anything to be in. */
  async function stayAdmitted(db: Db, me: participants.ParticipantRow): Promise<Waiting> {
    const still = { state: 'admitted' as const, seen_at: clock.now() }
    await participants.update(db, me.id, still)
    return { participant: participants.shownParticipant({ ...me, ...still }) }
  }

  async function requireRoom(db: Db, meeting: Meeting, me: participants.ParticipantRow): Promise<void> {
    const inside = await participants.listIn(db, meeting.id, ['inside'])
    if (inside.length >= meeting.max_participants) throw MeetingFull()
    const sends = (person: participants.ParticipantRow) => maySend(person.role, meeting.senders)
    const full = inside.length >= media.limits.inside
    if (full || (sends(me) && inside.filter(sends).length >= media.limits.senders)) throw NeedsMediaProvider()
  }

  async function enter(
    db: Db,
    caller: Caller,
    { meeting, me }: Standing,
    session: store.SessionRow,
    body: Enter,
    replaced: store.ConnectionRow | undefined,
  ): Promise<Joined> {
    const others = (await store.listOpen(db, me.id)).filter(({ id }) => id !== replaced?.id)
    if (others.length >= maxConnections) throw TooManyConnections()
    const id = newId('con')
    if (replaced?.closed_at === null) await sessions.close(db, caller, [replaced], 'replaced', { replaced_by: id })

    const display_name = body.display_name ?? (await nameOf(db, caller)) ?? me.display_name
    const inside = { state: 'inside' as const, display_name, waiting_since: null, seen_at: null, denied_until: null }
    await store.changeRoster(db, session.id, null)
    const joined_as = (await store.findLive(db, meeting.id))?.roster_version ?? 0
    const person = { ...me, ...inside, may_send: maySend(me.role, meeting.senders) }
    const { attendance, connection, resume_token } = newConnection({ id, joined_as }, caller, session, person, body)
    await store.insertConnection(db, connection, attendance)
    if (replaced) await store.setReplacedBy(db, replaced.id, connection.id)
    await participants.update(db, me.id, inside)
    await events.record(db, caller, {
      type: 'participant.joined',
      meeting_id: meeting.id,
      participant_id: me.id,
      connection_id: connection.id,
    })
    return {
      participant: participants.shownParticipant({ ...me, ...inside }),
      attendance: shownAttendance(attendance, clock),
      connection: { id: connection.id, resume_token },
      ...(await whatTheyFind(db, meeting, session, connection)),
    }
  }

  /** Of an account, as it is called now. */
  async function nameOf(db: Db, caller: Caller): Promise<string | undefined> {
    if (caller.kind === 'guest') return undefined
    return (await accounts.findUser(db, caller.tenant_id, caller.user_id))?.name
  }

  /** A row for who is inside, and one for how long they were, which stays. */
  function newConnection(
    { id, joined_as }: Pick<store.ConnectionRow, 'id' | 'joined_as'>,
    caller: Caller,
    session: store.SessionRow,
    me: participants.ParticipantRow & { may_send: boolean },
    { device, medium }: Enter,
  ) {
    const { tenant_id, meeting_id, user_id, display_name, role, may_send, id: participant_id } = me
    const now = clock.now()
    const resume_token = newSecret()
    const common = { tenant_id, meeting_id, session_id: session.id, participant_id }
    const attendance: store.AttendanceRow = {
      ...common,
      id: newId('att'),
      display_name,
      role,
      joined_at: now,
      left_at: null,
      end_reason: null,
      device: device ?? null,
      medium,
      quality: null,
    }
    const connection: store.ConnectionRow = {
      ...common,
      id,
      attendance_id: attendance.id,
      user_id,
      token_family: caller.kind === 'user' ? caller.login_id : guestFamily(me),
      role,
      may_send,
      joined_as,
      resume_token_hash: hashSecret(resume_token),
      previous_token_hash: null,
      ticket_hash: null,
      opened_at: now,
      last_seen_at: now,
      closed_at: null,
      close_reason: null,
      replaced_by: null,
    }
    return { attendance, connection, resume_token }
  }

  async function whatTheyFind(db: Db, meeting: Meeting, session: store.SessionRow, connection: store.ConnectionRow) {
    const { participant_id, role, joined_as } = connection
    return {
      session: shownSession(session),
      role,
      permissions: permissionsOf(meeting, role),
      roster: seenBy(connection, await store.roster(db, session.id)),
      roster_version: joined_as,
      inbox: { cursor: 0 },
      ...media.admit({ participant_id }),
      limits: { presence_timeout_s, heartbeat_s: Math.floor(presence_timeout_s / 3), connections: maxConnections },
    }
  }
}

function hasToWait(meeting: Meeting, me: participants.ParticipantRow): boolean {
  if (isHost(me) || me.admitted) return false
  return meeting.lobby || me.may === 'knock' || me.shown_out
}

function shownSession(session: store.SessionRow): Joined['session'] {
  const { id, meeting_id, occurrence_at, started_at, ended_at, end_reason } = session
  return { id, meeting_id, occurrence_at, started_at, ended_at, end_reason }
}
