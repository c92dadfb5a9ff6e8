import type { Db } from '../../db/transaction.ts'
import type { Bearer, Caller } from '../../kernel/caller.ts'
import { NotFound } from '../../kernel/problem.ts'
import { ConnectionClosed, ConnectionRequired, NotJoined } from '../presence/schema.ts'
import type { Presence } from '../presence/service.ts'
import type { Inbox } from './inbox.ts'
import type { Mirror } from './mirror.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  mirror: Mirror
  presence: Presence
  /** Nobody reads there any more. */
  evict(id: string): void
}

export type Door = ReturnType<typeof createDoor>

/**
 * Whose connection it is. Usually it costs no question: a connection knows the login, or the generation of guest tokens,
 * that it is used with, and whatever ends those closes it in the same transaction. So an open one of the caller's family
 * is theirs. A write finds out under the lock of its row whether that is still so; a read, as soon as this node hears.
 */
export function createDoor({ db, mirror, presence, evict }: Deps) {
  /** Open, and the caller's own. */
  async function enter(bearer: Bearer, id: string | undefined): Promise<Inbox> {
    if (id === undefined) return enter(bearer, await onlyOne(bearer))
    const known = mirror.peek(id)
    const mine = known && isOf(known, bearer) ? await mirror.find(id) : undefined
    const inbox = mine && !mine.closed && isOf(mine, bearer) ? mine : await ask(bearer, id)
    if (!inbox) throw NotFound()
    return welcome(inbox)
  }

  function welcome(inbox: Inbox): Inbox {
    if (inbox.closed) throw ConnectionClosed({ reason: inbox.closed })
    presence.heard.hear(inbox.id)
    return inbox
  }

  /** The long way: for who calls first, with another login, or in vain. It is the same for all who call in vain. */
  async function ask(bearer: Bearer, id: string): Promise<Inbox | undefined> {
    const caller = await bearer.stand()
    const inbox = await mirror.load(id)
    if (!inbox || !isTheirs(inbox, caller)) return undefined
    if (inbox.closed || isOf(inbox, bearer)) return inbox
    await presence.adopt(caller, id)
    evict(id) // who reads there does so with the other login
    return mirror.load(id)
  }

  async function onlyOne(bearer: Bearer): Promise<string> {
    const caller = await bearer.stand()
    const { tenant_id } = caller
    const person = caller.kind === 'user' ? { user_id: caller.user_id } : { participant_id: caller.participant_id }
    const [first, second] = await store.listOpenOf(db, { tenant_id, ...person })
    if (second !== undefined) throw ConnectionRequired()
    if (first === undefined) throw NotJoined()
    return first
  }

  /** By who has come in before, and has not left since. */
  async function reenter(id: string): Promise<Inbox> {
    const inbox = await mirror.find(id)
    if (!inbox) throw NotFound()
    return welcome(inbox)
  }

  return { enter, reenter }
}

const isOf = (inbox: Inbox, { kind, id, family }: Bearer): boolean =>
  inbox.token_family === family && (kind === 'user' ? inbox.user_id : inbox.participant_id) === id

const isTheirs = (inbox: Inbox, caller: Caller): boolean =>
  inbox.tenant_id === caller.tenant_id &&
  (caller.kind === 'user' ? inbox.user_id === caller.user_id : inbox.participant_id === caller.participant_id)
