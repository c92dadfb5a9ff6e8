import type { Db } from '../../db/transaction.ts'
import * as store from './store.ts'

type Forget = (db: Db, ids: string[]) => Promise<void>

/** Connections are deleted with whatever the rooms above keep of them. */
export function createForgetting() {
  const above: Forget[] = []

  return {
    onForget(forget: Forget): void {
      above.push(forget)
    },

    async forget(db: Db, ids: string[]): Promise<number> {
      for (const each of above) await each(db, ids)
      return store.deleteConnections(db, ids)
    },
  }
}
