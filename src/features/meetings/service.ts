import type { KeyObject } from 'node:crypto'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Caller, GuestCaller, UserCaller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import { NotFound, Stale, Unauthenticated } from '../../kernel/problem.ts'
import type { GuestClaims } from '../../kernel/token.ts'
import type { Accounts } from '../accounts/service.ts'
import { draftMeeting, draftRoom } from './draft.ts'
import { signGuestToken } from './guest-tokens.ts'
import * as participants from './participant-store.ts'
import {
  type Card,
  type CreateMeeting,
  InvalidTransition,
  isOver,
  type ListMeetings,
  type Meeting,
  MeetingGone,
  type UpdateMeeting,
} from './schema.ts'
import { requireHost, requireOwner, requireVisible } from './standing.ts'
import * as store from './store.ts'
import { BEFORE_ALL, changedTiming, placeInAgenda, type Timing } from './timing.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  accounts: Accounts
  key: KeyObject
}

export type Meetings = ReturnType<typeof createMeetings>

/** Somebody new in a meeting; what is left out is as usual. */
export type Newcomer = Pick<participants.ParticipantRow, 'display_name' | 'role' | 'relation' | 'may'> &
  Partial<participants.ParticipantRow>

export function createMeetings({ db, clock, events, accounts, key }: Deps) {
  events.on('user.updated', async (db, { user_id }, { tenant_id }) => {
    const user = await accounts.findUser(db, tenant_id, user_id)
    if (user) await participants.rename(db, user_id, user.name)
  })

  return {
    async create(me: UserCaller, body: CreateMeeting): Promise<Meeting> {
      const user = await accounts.findUser(db, me.tenant_id, me.user_id)
      if (!user) throw Unauthenticated()
      const meeting = draftMeeting(clock, me, body, body.time_zone ?? user.time_zone)
      return inTransaction(db, async db => {
        await store.insert(db, meeting)
        await addPerson(db, me.tenant_id, meeting, {
          user_id: me.user_id,
          display_name: user.name,
          role: 'host',
          relation: 'owner',
          may: 'join',
        })
        await events.record(db, me, { type: 'meeting.created', meeting_id: meeting.id })
        return current(db, me.tenant_id, meeting.id)
      })
    },

    list: (me: UserCaller, query: ListMeetings) => store.list(db, me, query),

    get,

    async update(me: UserCaller, meeting_id: string, body: UpdateMeeting, if_match: number[] | undefined) {
      return inTransaction(db, async db => {
        const { meeting } = await requireOwner(db, me, meeting_id, 'lock')
        if (if_match && !if_match.includes(meeting.version)) throw Stale()
        const { scheduled_at: _, duration_minutes, time_zone, recurrence, ...changes } = body
        const timing = changedTiming(meeting.status === 'scheduled' ? clock.now() : BEFORE_ALL, meeting, body)
        const title = changes.title && { title_key: store.titleKey(changes.title) }
        if (title) await store.updateAgenda(db, meeting_id, title)
        if (Object.keys(changes).length > 0) {
          await store.change(db, meeting_id, [meeting.status], { ...changes, updated_at: clock.now() })
          await events.record(db, me, { type: 'meeting.updated', meeting_id })
        }
        if (timing) await move(db, me, meeting, timing)
        return current(db, me.tenant_id, meeting_id)
      })
    },

    /** Joins the transaction of who has decided on another time. */
    move,

    cancel: (me: UserCaller, meeting_id: string) =>
      transition(me, meeting_id, requireOwner, async (db, meeting) => {
        if (meeting.status === 'cancelled') return
        const changes = { status: 'cancelled', sequence: meeting.sequence + 1, updated_at: clock.now() } as const
        if (!(await store.change(db, meeting_id, ['scheduled'], changes))) throw InvalidTransition()
        await participants.clearAway(db, meeting_id)
        await events.record(db, me, { type: 'meeting.cancelled', meeting_id })
      }),

    lock: (me: Caller, meeting_id: string) => setLocked(me, meeting_id, true),
    unlock: (me: Caller, meeting_id: string) => setLocked(me, meeting_id, false),

    /** The event comes first: whoever hears of it still finds what there was. */
    async remove(me: UserCaller, meeting_id: string, if_match: number[] | undefined): Promise<void> {
      await inTransaction(db, async db => {
        const { meeting } = await requireOwner(db, me, meeting_id, 'lock')
        if (if_match && !if_match.includes(meeting.version)) throw Stale()
        await events.record(db, me, { type: 'meeting.deleted', meeting_id })
        await store.remove(db, meeting_id)
      })
    },

    /** What anybody may know who has been given the code. */
    async card(join_code: string): Promise<Card> {
      const meeting = await findByCode(join_code)
      const names = await accounts.namesOf(db, meeting.tenant_id, [meeting.owner_id])
      const { title, scheduled_at, time_zone, lobby } = meeting
      return { title, scheduled_at, time_zone, owner_name: names.get(meeting.owner_id) ?? null, lobby }
    },

    findByCode,

    /** For presence: makes or finds the standing meeting of that name. */
    async findOrOpenRoom(tenant_id: string, room_name: string): Promise<Meeting> {
      const known = await store.findRoom(db, tenant_id, room_name)
      if (known) return known
      const meeting = draftRoom(clock, tenant_id, room_name)
      await inTransaction(db, async db => {
        if (!(await store.insertRoom(db, meeting))) return
        await events.record(db, { kind: 'system', tenant_id }, { type: 'meeting.created', meeting_id: meeting.id })
      })
      return (await store.findRoom(db, tenant_id, room_name)) ?? meeting
    },

    /** For who changes what hangs on a meeting: nobody else does until their transaction ends. */
    lockFor: (db: Db, tenant_id: string, meeting_id: string) => store.lock(db, tenant_id, meeting_id),
    findFor: (db: Db, tenant_id: string, meeting_id: string) => store.find(db, tenant_id, meeting_id),

    /** What there is to know of each, for who is invited to it. */
    async summaries(tenant_id: string, meeting_ids: string[]) {
      const found = await store.listByIds(db, [...new Set(meeting_ids)])
      const names = await accounts.namesOf(
        db,
        tenant_id,
        found.map(({ owner_id }) => owner_id),
      )
      return new Map(found.map(meeting => [meeting.id, summaryOf(meeting, names.get(meeting.owner_id) ?? null)]))
    },

    addPerson,

    guestToken: (guest: Pick<participants.ParticipantRow, 'id' | 'generation'>) => signGuestToken(key, clock, guest),

    /** Who the claims of a guest's verified token speak for, while their meeting exists. */
    async identify({ sub: participant_id, generation }: GuestClaims): Promise<GuestCaller | undefined> {
      const found = await participants.findGuest(db, participant_id)
      if (found?.generation !== generation) return undefined
      return { kind: 'guest', tenant_id: found.tenant_id, meeting_id: found.meeting_id, participant_id }
    },
  }

  /** As the transaction leaves it: what comes after it is somebody else's answer. */
  async function current(db: Db, tenant_id: string, meeting_id: string): Promise<Meeting> {
    const meeting = await store.find(db, tenant_id, meeting_id)
    if (!meeting) throw NotFound()
    return meeting
  }

  async function get(me: Caller, meeting_id: string): Promise<Meeting> {
    return (await requireVisible(db, me, meeting_id)).meeting
  }

  async function addPerson(
    db: Db,
    tenant_id: string,
    meeting: Meeting,
    person: Newcomer,
  ): Promise<participants.ParticipantRow> {
    const place = (await participants.findPlace(db, meeting.id)) ?? {
      title_key: store.titleKey(meeting.title),
      ...placeInAgenda(meeting, meeting),
    }
    const row: participants.ParticipantRow = {
      id: newId('par'),
      tenant_id,
      meeting_id: meeting.id,
      user_id: null,
      invitation_id: null,
      state: 'away',
      admitted: false,
      shown_out: false,
      generation: 1,
      waiting_since: null,
      seen_at: null,
      denied_until: null,
      ...place,
      meeting_created_at: meeting.created_at,
      created_at: clock.now(),
      ...person,
    }
    await participants.insert(db, row)
    return row
  }

  /** All that asks accepted invitees again: a change of the time, and nothing else. */
  async function move(db: Db, actor: Actor, meeting: Meeting, timing: Timing): Promise<void> {
    const sequence = meeting.sequence + 1
    const kind = timing.recurrence === null ? meeting.kind : 'standing'
    const changes = { ...timing, kind, sequence, updated_at: clock.now() } as const
    if (!(await store.change(db, meeting.id, ['scheduled'], changes))) throw InvalidTransition()
    await store.updateAgenda(db, meeting.id, placeInAgenda(timing, { ...meeting, kind }))
    await events.record(db, actor, { type: 'meeting.moved', meeting_id: meeting.id, sequence })
  }

  async function setLocked(me: Caller, meeting_id: string, locked: boolean): Promise<Meeting> {
    return transition(me, meeting_id, requireHost, async (db, meeting) => {
      if (isOver(meeting)) throw InvalidTransition()
      if (meeting.locked === locked) return
      await store.change(db, meeting_id, [meeting.status], { locked, updated_at: clock.now() })
      await events.record(db, me, { type: locked ? 'meeting.locked' : 'meeting.unlocked', meeting_id })
    })
  }

  async function transition<Me extends Caller>(
    me: Me,
    meeting_id: string,
    require: typeof requireHost,
    work: (db: Db, meeting: Meeting) => Promise<void>,
  ): Promise<Meeting> {
    return inTransaction(db, async db => {
      const { meeting } = await require(db, me, meeting_id, 'lock')
      await work(db, meeting)
      return current(db, me.tenant_id, meeting_id)
    })
  }

  async function findByCode(join_code: string): Promise<store.MeetingRow> {
    const meeting = await store.findByCode(db, join_code.toLowerCase())
    if (!meeting) throw NotFound()
    if (isOver(meeting)) throw MeetingGone()
    return meeting
  }
}

function summaryOf(meeting: Meeting, owner_name: string | null) {
  const { id, title, description, status, scheduled_at, duration_minutes, time_zone, recurrence, sequence } = meeting
  return { id, title, description, status, scheduled_at, duration_minutes, time_zone, recurrence, sequence, owner_name }
}
