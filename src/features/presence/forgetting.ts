import type { Db } from '../../db/transaction.ts'
import * as store from './store.ts'

type Forget = (db: Db, ids: string[]) => Promise<void>

/** In one statement, which has a limit to what it can name. */
const together = 500

/** Connections are deleted with whatever the rooms above keep of them. */
export function createForgetting() {
  const above: Forget[] = []

  return {
    onForget(forget: Forget): void {
      above.push(forget)
    },

    async forget(db: Db, ids: string[]): Promise<number> {
      for (let i = 0; i < ids.length; i += together) {
        const some = ids.slice(i, i + together)
        for (const each of above) await each(db, some)
        await store.deleteConnections(db, some)
      }
      return ids.length
    },
  }
}
