import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { NotFound } from '../../kernel/problem.ts'
import type { MediaProvider } from '../media/provider.ts'
import * as participants from '../meetings/participant-store.ts'
import { type Meeting, NeedsMediaProvider, type Participant } from '../meetings/schema.ts'
import { requireHost } from '../meetings/standing.ts'
import { maySend, type Role } from '../meetings/types.ts'
import type { Lobby } from './lobby.ts'
import { HostStays, NotWaiting } from './schema.ts'
import type { Sessions } from './sessions.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  lobby: Lobby
  sessions: Sessions
  media: MediaProvider
}

const deniedFor_s = 60

/** What hosts and co-hosts do with people. Each may be repeated, and changes nothing then. */
export function createHosting({ db, clock, events, lobby, sessions, media }: Deps) {
  return {
    admit: (caller: Caller, meeting_id: string, participant_id: string) =>
      onPerson(caller, meeting_id, participant_id, async (db, person) => {
        if (person.may !== 'see' && (await admitOne(db, caller, person))) return
        if (person.state !== 'admitted' && person.state !== 'inside') throw NotWaiting()
      }),

    async admitAll(caller: Caller, meeting_id: string): Promise<{ admitted: number }> {
      const waiting = await inTransaction(db, async db => {
        await requireHost(db, caller, meeting_id, 'lock')
        const people = await participants.listIn(db, meeting_id, ['waiting'])
        for (const person of people) await admitOne(db, caller, person)
        return people
      })
      lobby.ring(waiting.map(({ id }) => id))
      return { admitted: waiting.length }
    },

    deny: (caller: Caller, meeting_id: string, participant_id: string) =>
      onPerson(caller, meeting_id, participant_id, async (db, person) => {
        const denied = { ...participants.away, admitted: false, denied_until: clock.in(deniedFor_s) }
        if (await participants.change(db, person.id, ['waiting', 'admitted'], denied)) {
          await events.record(db, caller, { type: 'participant.denied', meeting_id, participant_id })
        } else if (person.denied_until === null || person.denied_until <= clock.now()) throw NotWaiting()
      }),

    /** Out, on every device. They may knock again, unless they are banned. */
    remove: (caller: Caller, meeting_id: string, participant_id: string, { ban }: { ban: boolean }) =>
      onPerson(caller, meeting_id, participant_id, async (db, person) => {
        if (person.role === 'host') throw HostStays()
        const state = ban ? 'banned' : 'removed'
        const from = ban ? notBanned : notRemoved
        const out = { state, admitted: false, shown_out: true, waiting_since: null, seen_at: null } as const
        if (!(await participants.change(db, person.id, from, out))) return
        await sessions.close(db, caller, await store.listOpen(db, person.id), 'removed')
        const type = ban ? 'participant.banned' : 'participant.removed'
        await events.record(db, caller, { type, meeting_id, participant_id })
      }),

    unban: (caller: Caller, meeting_id: string, participant_id: string) =>
      onPerson(caller, meeting_id, participant_id, async (db, person) => {
        if (!(await participants.change(db, person.id, ['banned'], { state: 'away', shown_out: false }))) return
        await events.record(db, caller, { type: 'participant.unbanned', meeting_id, participant_id })
      }),

    changeRole: (caller: Caller, meeting_id: string, participant_id: string, { role }: { role: Role }) =>
      onPerson(caller, meeting_id, participant_id, async (db, person, meeting) => {
        if (person.role === 'host') throw HostStays()
        if (person.role === role) return
        if (person.state === 'inside') await requireSender(db, meeting, person, role)
        await participants.update(db, person.id, { role })
        const session = await store.findLive(db, meeting_id)
        if (session) await store.lockOpenIn(db, session.id)
        await store.setRole(db, person.id, role, maySend(role, meeting.senders))
        if (session && person.state === 'inside') await store.changeRoster(db, session.id, session.empty_until)
        await events.record(db, caller, { type: 'participant.role_changed', meeting_id, participant_id, role })
      }),
  }

  async function onPerson(
    caller: Caller,
    meeting_id: string,
    participant_id: string,
    work: (db: Db, person: participants.ParticipantRow, meeting: Meeting) => Promise<void>,
  ): Promise<Participant> {
    const person = await inTransaction(db, async db => {
      const { meeting } = await requireHost(db, caller, meeting_id, 'lock')
      const found = await participants.find(db, meeting_id, participant_id)
      if (!found) throw NotFound()
      await work(db, found, meeting)
      return (await participants.find(db, meeting_id, participant_id)) ?? found
    })
    lobby.ring([participant_id])
    return participants.shownParticipant(person)
  }

  async function admitOne(db: Db, caller: Caller, { id, meeting_id }: participants.ParticipantRow): Promise<boolean> {
    const admitted = { state: 'admitted' as const, admitted: true, shown_out: false, denied_until: null }
    if (!(await participants.change(db, id, ['waiting'], admitted))) return false
    await events.record(db, caller, { type: 'participant.admitted', meeting_id, participant_id: id })
    return true
  }

  /** Whoever is to send from now on needs a place among the senders. */
  async function requireSender(db: Db, meeting: Meeting, person: participants.ParticipantRow, role: Role) {
    if (!maySend(role, meeting.senders) || maySend(person.role, meeting.senders)) return
    const inside = await participants.listIn(db, meeting.id, ['inside'])
    const senders = inside.filter(other => maySend(other.role, meeting.senders)).length
    if (senders >= media.limits.senders) throw NeedsMediaProvider()
  }
}

const notRemoved: participants.State[] = ['away', 'waiting', 'admitted', 'inside']
const notBanned: participants.State[] = [...notRemoved, 'removed']
