import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Caller, GuestCaller } from '../../kernel/caller.ts'
import { DEFAULT_TENANT } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { NotFound } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { isOver, type Meeting, MeetingGone } from '../meetings/schema.ts'
import type { Meetings } from '../meetings/service.ts'
import { standingOf } from '../meetings/standing.ts'
import * as meetingStore from '../meetings/store.ts'
import { usualRole } from '../meetings/types.ts'
import type { createJoin } from './join.ts'
import { type EnterRoom, GuestsRefused, type Knock, type Knocked, LobbyFull, MeetingLocked } from './schema.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  meetings: Meetings
  join: ReturnType<typeof createJoin>
}

const longestLobby = 100

/** The two ways in for who has no account: the code of a meeting, and the name of a quick room. */
export function createDoors({ db, clock, events, meetings, join }: Deps) {
  return {
    /**
     * A guest without invitation always waits, whatever the meeting says of its lobby. Whoever belongs to it by their account
     * is no guest: they have the code as well, for they share it.
     */
    async knock(caller: Caller | undefined, join_code: string, { display_name }: Knock): Promise<Knocked> {
      const { id: meeting_id, tenant_id } = await meetings.findByCode(join_code)
      const known = caller?.kind === 'user' ? await participants.findCaller(db, meeting_id, caller) : undefined
      if (known) return { participant: participants.shownParticipant(known), participant_token: null }
      const participant = await inTransaction(db, async db => {
        const meeting = await meetingStore.lock(db, tenant_id, meeting_id)
        if (!meeting) throw NotFound()
        if (isOver(meeting)) throw MeetingGone()
        if (!meeting.guests) throw GuestsRefused()
        if (meeting.locked) throw MeetingLocked()
        if ((await participants.countIn(db, meeting_id, ['waiting'])) >= longestLobby) throw LobbyFull()
        const guest = await newGuest(db, tenant_id, meeting, {
          display_name,
          may: 'knock',
          state: 'waiting',
          waiting_since: clock.now(),
          seen_at: clock.now(),
        })
        const actor: GuestCaller = { kind: 'guest', tenant_id, meeting_id, participant_id: guest.id }
        await events.record(db, actor, { type: 'participant.knocked', meeting_id, participant_id: guest.id })
        return guest
      })
      const participant_token = meetings.guestToken(participant)
      return { participant: participants.shownParticipant(participant), participant_token }
    },

    /** Makes or finds the room. Who comes into an empty one is its host, until it is empty again. */
    async enterRoom(caller: Caller | undefined, name: string, { display_name, device, medium }: EnterRoom) {
      const tenant_id = caller?.tenant_id ?? DEFAULT_TENANT
      const { id: meeting_id } = await meetings.findOrOpenRoom(tenant_id, name)
      return inTransaction(db, async db => {
        if (caller) await join.requireLogin(db, caller)
        const meeting = await meetingStore.lock(db, tenant_id, meeting_id)
        if (!meeting) throw NotFound()
        const known = caller && (await participants.findCaller(db, meeting_id, caller))
        const user_id = caller?.kind === 'user' ? caller.user_id : null
        const me = known ?? (await newGuest(db, tenant_id, meeting, { display_name, may: 'join', user_id }))
        if ((await participants.countIn(db, meeting_id, ['inside'])) === 0) await makeHost(db, tenant_id, me)
        const actor: Caller =
          caller?.kind === 'user' ? caller : { kind: 'guest', tenant_id, meeting_id, participant_id: me.id }
        const standing = await standingOf(db, actor, meeting_id)
        const outcome = await join.attempt(db, actor, standing, { display_name, device, medium })
        const participant_token = actor.kind === 'guest' ? meetings.guestToken(me) : null
        return { ...outcome, participant_token }
      })
    },
  }

  /** Whoever was shown out of it has the room to themselves now; who was banned or withdrawn does not come in. */
  async function makeHost(db: Db, tenant_id: string, { id, meeting_id, state, may }: participants.ParticipantRow) {
    if (state === 'banned' || may === 'nothing') return
    const changed = { type: 'participant.role_changed', meeting_id } as const
    const system = { kind: 'system', tenant_id } as const
    for (const { id: participant_id } of await participants.listHosts(db, meeting_id)) {
      await participants.update(db, participant_id, { role: 'participant' })
      await events.record(db, system, { ...changed, participant_id, role: 'participant' })
    }
    await participants.update(db, id, { role: 'host', may: 'join', shown_out: false, state: 'away' })
    await events.record(db, system, { ...changed, participant_id: id, role: 'host' })
  }

  function newGuest(
    db: Db,
    tenant_id: string,
    meeting: Meeting,
    person: Pick<participants.ParticipantRow, 'display_name' | 'may'> & Partial<participants.ParticipantRow>,
  ) {
    return meetings.addPerson(db, tenant_id, meeting, { role: usualRole(meeting), relation: 'guest', ...person })
  }
}
