import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor } from '../../events/events.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Files } from './files.ts'
import type { Finish } from './finish.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  files: Files
  finish: Finish
  remove(recording: store.RecordingRow, actor: Actor): Promise<void>
  recordings_kept_days: number | undefined
}

const batch = 100
/** A folder without a row may be one whose row is about to come. */
const strayFor_ms = 3600_000

export const recordingJobs = ({ db, clock, files, finish, remove, recordings_kept_days }: Deps): Job[] => [
  { name: 'recordings to be settled', every_s: 10, run: finish.settleDue },
  {
    name: 'links of recordings that have expired',
    every_s: 3600,
    run: () => inTransaction(db, db => store.deleteExpiredLinks(db, clock.now(), batch)),
  },
  {
    name: 'folders without a recording',
    every_s: 3600,
    async run() {
      const folders = await files.listFolders()
      const old = folders.filter(({ changed_at }) => changed_at.getTime() < Date.now() - strayFor_ms)
      let removed = 0
      for (let i = 0; i < old.length; i += batch) {
        const some = old.slice(i, i + batch).map(({ id }) => id)
        const known = new Set((await store.listOf(db, some)).map(({ id }) => id))
        for (const id of some.filter(id => !known.has(id))) {
          await files.removeStray(id)
          removed++
        }
      }
      return removed
    },
  },
  ...(recordings_kept_days === undefined
    ? []
    : [
        {
          name: 'recordings that are old',
          every_s: 3600,
          async run() {
            const old = await store.listReadyBefore(db, clock.in(-recordings_kept_days * 24 * 3600), batch)
            for (const recording of old) await remove(recording, { kind: 'system', tenant_id: recording.tenant_id })
            return old.length
          },
        },
      ]),
]
