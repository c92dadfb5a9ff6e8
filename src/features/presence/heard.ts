import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
}

export type Heard = ReturnType<typeof createHeard>

const together = 500

/**
 * Who was heard of on this node, and when. Every call with a connection is a sign of life, far too many to write each:
 * they are written together, often enough that a node which dies takes no more than a few seconds with it.
 */
export function createHeard({ db, clock }: Deps) {
  const lastHeard = new Map<string, number>()
  let listHeld = (): Iterable<string> => []

  return {
    hear(connection_id: string): void {
      lastHeard.set(connection_id, clock.millis())
    },

    /** Who holds a poll or a channel is heard of for all of its time. */
    onHeld(list: () => Iterable<string>): void {
      listHeld = list
    },

    /** Writes it, and asks for nothing if there is nothing to write. */
    async flush(): Promise<void> {
      const now = clock.millis()
      for (const id of listHeld()) lastHeard.set(id, now)
      const bySecond = new Map<number, string[]>()
      for (const [id, millis] of lastHeard) {
        const second = millis - (millis % 1000)
        const ids = bySecond.get(second) ?? []
        bySecond.set(second, ids)
        ids.push(id)
      }
      const taken = new Map(lastHeard)
      lastHeard.clear()
      try {
        for (const [second, ids] of bySecond) {
          const at = new Date(second).toISOString()
          for (let i = 0; i < ids.length; i += together) {
            await inTransaction(db, db => store.touchAll(db, ids.slice(i, i + together), at))
          }
        }
      } catch (error) {
        for (const [id, millis] of taken) if (!lastHeard.has(id)) lastHeard.set(id, millis) // for the next time
        throw error
      }
    },
  }
}
