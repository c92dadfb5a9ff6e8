import type { Db } from '../db/transaction.ts'
import type { GuestCaller, UserCaller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'

/**
 * Every change of state, one append-only row each, written in the transaction that makes the change: the audit log and
 * the outbox in one. A row names things by their ids and holds nothing personal, so that it may outlive the person.
 */
export type DomainEvent =
  | { type: 'user.registered'; user_id: string }
  | { type: 'user.updated'; user_id: string }
  | { type: 'user.password_changed'; user_id: string }
  | { type: 'login.begun'; login_id: string; user_id: string }
  | { type: 'login.refreshed'; login_id: string; user_id: string }
  | { type: 'login.ended'; login_id: string; user_id: string; reason: LoginEnd }
  | { type: 'meeting.created'; meeting_id: string }
  | { type: 'meeting.updated'; meeting_id: string }
  | { type: 'meeting.moved'; meeting_id: string; sequence: number }
  | { type: 'meeting.cancelled'; meeting_id: string }
  | { type: 'meeting.locked' | 'meeting.unlocked'; meeting_id: string }
  | { type: 'meeting.started'; meeting_id: string; session_id: string }
  | { type: 'meeting.ended'; meeting_id: string; session_id: string; reason: SessionEnd }
  | { type: 'meeting.deleted'; meeting_id: string }
  | { type: 'invitation.sent'; meeting_id: string; invitation_id: string }
  | { type: 'invitation.claimed'; meeting_id: string; invitation_id: string; user_id: string }
  | { type: 'invitation.accepted'; meeting_id: string; invitation_id: string; participant_id: string }
  | { type: 'invitation.rejected'; meeting_id: string; invitation_id: string; participant_id: string }
  | { type: 'invitation.withdrawn'; meeting_id: string; invitation_id: string; participant_id: string }
  | { type: 'proposal.made'; meeting_id: string; invitation_id: string; proposal_id: string }
  | { type: 'proposal.accepted' | 'proposal.declined'; meeting_id: string; invitation_id: string; proposal_id: string }
  | {
      type: 'participant.knocked' | 'participant.admitted' | 'participant.denied'
      meeting_id: string
      participant_id: string
    }
  | { type: 'participant.stopped_waiting'; meeting_id: string; participant_id: string }
  | { type: 'participant.joined'; meeting_id: string; participant_id: string; connection_id: string }
  | {
      type: 'participant.left'
      meeting_id: string
      participant_id: string
      connection_id: string
      reason: LeaveReason
      /** The connection with which they came back. */
      replaced_by?: string
    }
  | {
      type: 'participant.removed' | 'participant.banned' | 'participant.unbanned'
      meeting_id: string
      participant_id: string
    }
  | {
      type: 'participant.role_changed'
      meeting_id: string
      participant_id: string
      role: 'host' | 'co_host' | 'participant' | 'viewer'
    }
  | { type: 'notes.requested' | 'notes.ready'; meeting_id: string; session_id: string; version: number }
  | { type: 'notes.failed'; meeting_id: string; session_id: string; version: number; reason: string }
  | { type: 'notes.edited'; meeting_id: string; session_id: string; version: number; based_on: number }
  | { type: 'message.posted'; meeting_id: string; session_id: string; participant_id: string; message_id: string }
  | { type: 'transcript.added'; meeting_id: string; session_id: string; participant_id: string; segments: number }
  | {
      type: 'recording.started'
      meeting_id: string
      session_id: string
      recording_id: string
      /** The participants inside, who were told of it. */
      told: string[]
    }
  | { type: 'recording.told'; meeting_id: string; recording_id: string; participant_id: string }
  | { type: 'recording.stopped' | 'recording.ready' | 'recording.deleted'; meeting_id: string; recording_id: string }
  | { type: 'recording.failed'; meeting_id: string; recording_id: string; reason: string }
  | { type: 'recording.shared' | 'recording.unshared'; meeting_id: string; recording_id: string }

/** Why a session of a meeting is over. */
export type SessionEnd = 'host' | 'empty' | 'max_duration' | 'deleted'

/** Why a connection is closed. */
export type LeaveReason = 'left' | 'removed' | 'withdrawn' | 'replaced' | 'timeout' | 'meeting_ended'

export type LoginEnd = 'logout' | 'password_changed' | 'refresh_token_reused'

/** Who did it: somebody who called, or the server itself, on behalf of a tenant. */
export type Actor =
  | Pick<UserCaller, 'kind' | 'tenant_id' | 'user_id'>
  | Pick<GuestCaller, 'kind' | 'tenant_id' | 'participant_id'>
  | { kind: 'system'; tenant_id: string }

export interface EventRow {
  id: string
  tenant_id: string
  type: DomainEvent['type']
  actor_kind: Actor['kind']
  actor_id: string | null
  meeting_id: string | null
  /** The ids and words of the event, as JSON. */
  data: string
  occurred_at: string
}

export type Events = ReturnType<typeof createEvents>

/** What follows from an event in a room further up the house. It is part of the same transaction, or it would be lost. */
type Reaction<Type extends DomainEvent['type']> = (
  db: Db,
  event: Extract<DomainEvent, { type: Type }>,
  actor: Actor,
) => Promise<void>

export function createEvents(clock: Clock) {
  const reactions = new Map<string, Reaction<DomainEvent['type']>[]>()

  return {
    /** Arrows point one way: a room below tells, by its event, and a room above listens. */
    on<Type extends DomainEvent['type']>(type: Type, reaction: Reaction<Type>): void {
      const known = reactions.get(type) ?? []
      reactions.set(type, [...known, reaction as unknown as Reaction<DomainEvent['type']>])
    },

    /** `db` is the caller's transaction: the event is true exactly if the change is. */
    async record(db: Db, actor: Actor, ...all: DomainEvent[]): Promise<void> {
      const rows = all.map(event => rowOf(actor, event))
      for (let i = 0; i < rows.length; i += together) await db<EventRow>('events').insert(rows.slice(i, i + together))
      for (const event of all) {
        for (const react of reactions.get(event.type) ?? []) await react(db, event, actor)
      }
    },
  }

  function rowOf(actor: Actor, event: DomainEvent): EventRow {
    const { type, ...data } = event
    return {
      id: newId('evt'),
      tenant_id: actor.tenant_id,
      type,
      actor_kind: actor.kind,
      actor_id: actorId(actor),
      meeting_id: 'meeting_id' in event ? event.meeting_id : null,
      data: JSON.stringify(data),
      occurred_at: clock.now(),
    }
  }
}

const together = 50 // in one statement

function actorId(actor: Actor): string | null {
  if (actor.kind === 'system') return null
  return actor.kind === 'user' ? actor.user_id : actor.participant_id
}
