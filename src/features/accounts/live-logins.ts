import { LRUCache } from 'lru-cache'
import type { Db } from '../../db/transaction.ts'
import type { UserCaller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { User } from './schema.ts'
import * as store from './store.ts'

export interface LiveLogin {
  caller: UserCaller
  user: User
  asked_at: number
}

const trustFor_ms = 1000

/**
 * Which logins stand, and whose they are, without a query for every request. On the node that ends a login or changes
 * its user the verdict is dropped at the commit; on every other node it is asked again after a second.
 */
export function createLiveLogins({ db, clock }: { db: Db; clock: Clock }) {
  const known = new LRUCache<string, LiveLogin>({ max: 20_000 })
  const asking = new Map<string, Promise<LiveLogin | undefined>>()

  async function ask(id: string): Promise<LiveLogin | undefined> {
    const asked_at = clock.millis()
    const answer = store.findLiveLogin(db, id, clock.now()).then(found => {
      if (!found) return undefined
      const { tenant_id, user_id } = found.login
      return { caller: { kind: 'user' as const, tenant_id, user_id, login_id: id }, user: found.user, asked_at }
    })
    asking.set(id, answer)
    try {
      const live = await answer
      // Forgotten while it was asked: the answer may be from before the change.
      if (asking.get(id) !== answer) return find(id)
      if (live) known.set(id, live)
      else known.delete(id)
      return live
    } finally {
      if (asking.get(id) === answer) asking.delete(id)
    }
  }

  async function find(id: string): Promise<LiveLogin | undefined> {
    const live = known.get(id)
    if (live && clock.millis() - live.asked_at < trustFor_ms) return live
    return asking.get(id) ?? ask(id)
  }

  return {
    find,

    forget(id: string): void {
      known.delete(id)
      asking.delete(id)
    },

    /** A change of the user shows in all of their logins. */
    forgetUser(user_id: string): void {
      for (const [id, live] of known) if (live.caller.user_id === user_id) known.delete(id)
      asking.clear() // whose they are is not known yet; asking again is cheap
    },
  }
}
