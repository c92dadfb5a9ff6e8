import type { Db } from '../db/transaction.ts'
import type { Caller } from '../kernel/caller.ts'
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

export type LoginEnd = 'logout' | 'password_changed' | 'refresh_token_reused'

/** Who did it: somebody who called, or the server itself, on behalf of a tenant. */
export type Actor = Pick<Caller, 'kind' | 'tenant_id' | 'user_id'> | { kind: 'system'; tenant_id: string }

export interface EventRow {
  id: string
  tenant_id: string
  type: DomainEvent['type']
  actor_kind: Actor['kind']
  actor_id: string | null
  /** The ids and words of the event, as JSON. */
  data: string
  occurred_at: string
}

export type Events = ReturnType<typeof createEvents>

export function createEvents(clock: Clock) {
  return {
    /** `db` is the caller's transaction: the event is true exactly if the change is. */
    async record(db: Db, actor: Actor, { type, ...data }: DomainEvent): Promise<void> {
      const row: EventRow = {
        id: newId('evt'),
        tenant_id: actor.tenant_id,
        type,
        actor_kind: actor.kind,
        actor_id: actor.kind === 'system' ? null : actor.user_id,
        data: JSON.stringify(data),
        occurred_at: clock.now(),
      }
      await db<EventRow>('events').insert(row)
    },
  }
}
