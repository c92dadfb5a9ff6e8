import { access, constants } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { pendingMigrations } from '../db/migrate.ts'
import type { Db } from '../db/transaction.ts'
import { problem } from '../kernel/problem.ts'
import { route } from './route.ts'

const NotReady = problem('unavailable', 'not_ready', 'This node should get no traffic now')

const Live = z.object({ status: z.literal('live') }).meta({ id: 'Live' })
const Ready = z.object({ status: z.literal('ready') }).meta({ id: 'Ready' })

interface Deps {
  db: Db
  storage_dir: string
  /** True once the process has been told to stop. */
  isStopping: () => boolean
}

/** A database that hangs is as bad as one that is away, and whoever asks will not wait for long. */
async function tooLong(): Promise<never> {
  await pause(2_000, undefined, { ref: false })
  throw new Error('The database did not answer in time')
}

export function healthRoutes({ db, storage_dir, isStopping }: Deps) {
  /** What keeps this node from working, by name; a client learns no more than that. */
  async function faults(): Promise<string[]> {
    const checks = [
      Promise.race([pendingMigrations(db), tooLong()]).then(
        pending => (pending.length > 0 ? 'migrations' : undefined),
        () => 'database',
      ),
      access(storage_dir, constants.W_OK).then(
        () => undefined,
        () => 'storage',
      ),
    ]
    const found = await Promise.all(checks)
    return [...(isStopping() ? ['stopping'] : []), ...found.filter(fault => fault !== undefined)]
  }

  return [
    route('GET /health/live', {
      summary: 'Is the process alive',
      description: 'Asks nothing of the database: a process is not restarted because its database is away.',
      access: 'anyone',
      reply: { 200: Live },
      handle: () => ({ status: 'live' as const }),
    }),
    route('GET /health/ready', {
      summary: 'Should this node get traffic',
      description: 'Looks at the database, its migrations and the storage folder.',
      access: 'anyone',
      reply: { 200: Ready },
      problems: [NotReady],
      async handle() {
        const found = await faults()
        if (found.length > 0) throw NotReady({ detail: `Not in order: ${found.join(', ')}` })
        return { status: 'ready' as const }
      },
    }),
  ]
}
