import type { Db } from '../../db/transaction.ts'
import * as store from './store.ts'

/** What a room above keeps of connections, and how it goes. */
interface Kept {
  /** Up to so many rows of it; returns how many. */
  purge(db: Db, ids: string[], limit: number): Promise<number>
  forget(db: Db, ids: string[]): Promise<void>
}

export type Forgetting = ReturnType<typeof createForgetting>

/** Of connections in one statement, and of rows in one transaction: a longer one would keep everybody waiting. */
const together = 500

/** Connections are deleted with whatever the rooms above keep of them. */
export function createForgetting() {
  const above: Kept[] = []

  async function forget(db: Db, ids: string[]): Promise<number> {
    for (let i = 0; i < ids.length; i += together) {
      const some = ids.slice(i, i + together)
      for (const kept of above) await kept.forget(db, some)
      await store.deleteConnections(db, some)
    }
    return ids.length
  }

  return {
    onForget(kept: Kept): void {
      above.push(kept)
    },

    /** All of it, with the meeting. */
    forget,

    /** A part of it at a time: the connections themselves go when nothing is kept of them any more. */
    async forgetSlowly(db: Db, ids: string[]): Promise<number> {
      let purged = 0
      for (const kept of above) purged += await kept.purge(db, ids, together - purged)
      return purged > 0 ? purged : forget(db, ids)
    },
  }
}
