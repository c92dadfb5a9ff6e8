import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor } from '../../events/events.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { namesOf } from './check.ts'
import type { Files } from './files.ts'
import type { Finish } from './finish.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  log: Log
  files: Files
  finish: Finish
  remove(recording: store.RecordingRow, actor: Actor): Promise<void>
  recordings_kept_days: number | undefined
}

const batch = 100
/** What is beside a recording may be about to be renamed. */
const strayFor_ms = 3600_000
/** A folder without a row may be of a newer database than this one, which was restored from a backup. */
const lostFor_ms = 7 * 24 * 3600_000
const settled: store.RecordingRow['status'][] = ['ready', 'failed']

export function recordingJobs({ db, clock, log, files, finish, remove, recordings_kept_days }: Deps): Job[] {
  /** What a process left that died after its commit. Of a recording that is not settled nothing is touched. */
  async function tidy(id: string, recording: store.RecordingRow | undefined): Promise<void> {
    try {
      if (!recording) await files.removeStray(id)
      else if (settled.includes(recording.status)) await files.keepOnly(id, await namesOf(db, recording))
    } catch (error) {
      log.error({ recording_id: id, err: error }, 'what is left of a recording could not be removed')
    }
  }

  async function tidyAll(): Promise<void> {
    const age_ms = ({ changed_at }: { changed_at: Date }) => Date.now() - changed_at.getTime()
    const old = (await files.listFolders()).filter(folder => age_ms(folder) > strayFor_ms)
    const lost: string[] = []
    let anyIsOurs = false
    for (let i = 0; i < old.length; i += batch) {
      const some = old.slice(i, i + batch)
      const rows = await store.listOf(
        db,
        some.map(({ id }) => id),
      )
      const known = new Map(rows.map(recording => [recording.id, recording]))
      for (const folder of some) {
        const recording = known.get(folder.id)
        if (recording) {
          anyIsOurs = true
          await tidy(folder.id, recording)
        } else if (age_ms(folder) > lostFor_ms) lost.push(folder.id)
      }
    }
    // Where none is known, this is the storage of another database, and nothing in it is ours to remove.
    if (anyIsOurs) for (const id of lost) await tidy(id, undefined)
    else if (lost.length > 0) log.warn({ folders: lost.length }, 'no recording in STORAGE_DIR is of this database')
  }

  return [
    { name: 'recordings to be settled', every_s: 10, run: finish.settleDue },
    {
      name: 'links of recordings that have expired',
      every_s: 3600,
      run: () => inTransaction(db, db => store.deleteExpiredLinks(db, clock.now(), batch)),
    },
    {
      name: 'files without a recording',
      every_s: 3600,
      async run() {
        await tidyAll()
        return 0 // all of them have been looked at
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
}
