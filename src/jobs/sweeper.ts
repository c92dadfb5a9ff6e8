import { type Db, inTransaction } from '../db/transaction.ts'
import type { Clock } from '../kernel/clock.ts'
import { every } from '../kernel/every.ts'
import type { Log } from '../kernel/log.ts'

/**
 * A job looks for what time has made true and makes it so: expired, timed out, over. It is idempotent, takes a bounded
 * batch, and returns how many rows it changed, so that a full batch is followed by another at once.
 */
export interface Job {
  name: string
  every_s: number
  run(): Promise<number>
}

interface Deps {
  db: Db
  clock: Clock
  log: Log
  jobs: Job[]
}

interface Schedule {
  name: string
  next_at: string
}

const maxBatches = 100

/** Runs each job once per period over all nodes: whoever moves the job's row on to its next time runs it. */
export function createSweeper({ db, clock, log, jobs }: Deps) {
  /** When this node need not ask before: saves a query a second for a job that runs every hour. */
  const quietUntil = new Map<string, string>()
  let stopped = false

  /** One look at every job. Tests call it; a started sweeper calls it every second. */
  async function tick(): Promise<void> {
    for (const job of jobs) {
      if (stopped) return
      try {
        if (await claim(job)) await runToEnd(job)
      } catch (error) {
        log.error({ job: job.name, err: error }, 'job failed; this node tries it again in its next period')
        quietUntil.set(job.name, clock.in(job.every_s))
      }
    }
  }

  async function claim({ name, every_s }: Job): Promise<boolean> {
    const now = clock.now()
    if (now < (quietUntil.get(name) ?? '')) return false
    const next_at = clock.in(every_s)
    const schedule = await db<Schedule>('jobs').where({ name }).first()
    if (schedule && schedule.next_at > now) {
      quietUntil.set(name, schedule.next_at)
      return false
    }
    return await inTransaction(db, async db => {
      await db<Schedule>('jobs').insert({ name, next_at: now }).onConflict('name').ignore()
      return (await db<Schedule>('jobs').where({ name }).where('next_at', '<=', now).update({ next_at })) === 1
    })
  }

  async function runToEnd({ name, run }: Job): Promise<void> {
    for (let batch = 0; batch < maxBatches && !stopped; batch++) {
      const changed = await run()
      if (changed === 0) return
      log.debug({ job: name, changed }, 'swept')
    }
  }

  return {
    tick,

    /** Begins to tick; returns the way to stop, which waits for the job that is running. */
    start(): () => Promise<void> {
      const stop = every(1000, log, 'looking for jobs', tick)
      return async () => {
        stopped = true
        await stop()
      }
    },
  }
}
