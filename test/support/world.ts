import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import type { Tokens } from '../../src/features/accounts/schema.ts'
import { createDrain, createHttpServer, listen } from '../../src/http/server.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createMetrics } from '../../src/kernel/metrics.ts'
import { whenDone } from './cleanup.ts'
import { createClient } from './client.ts'
import { testClock } from './clock.ts'
import { emptyDatabase } from './database.ts'

export const TEST_SECRET = 'the secret of tests: 0123456789abcdef'
export const PASSWORD = 'correct horse battery'

export type World = Awaited<ReturnType<typeof createWorld>>

/**
 * A server on a database of its own, with a clock that stands still, gone when the file's tests are done. Limits are
 * off unless `env` says otherwise, since a test calls faster than people do.
 */
export async function createWorld(env: NodeJS.ProcessEnv = {}) {
  const { settings, drop } = await emptyDatabase()
  const storage_dir = mkdtempSync(join(tmpdir(), 'parley-storage-'))
  const config = readConfig({ NODE_ENV: 'test', STORAGE_DIR: storage_dir, RATE_LIMITS: 'off', ...env })
  const database = await openDatabase(settings)
  await migrate(database)
  const { db } = database
  const clock = testClock()
  const key = createSecretKey(Buffer.from(TEST_SECRET))
  const lines: string[] = []
  const log = createLog('debug', { write: line => lines.push(line) })
  const stops: (() => Promise<void>)[] = []
  let people = 0

  /** One node; a second one shares the database and the clock, and nothing else. */
  async function startNode() {
    const app = createApp({ config, key, db, clock, log, metrics: createMetrics(), version: '0.0.0' })
    const server = createHttpServer(app.handler)
    const drain = createDrain(server)
    const { port } = await listen(server, 0, '127.0.0.1')
    stops.push(() => drain(0))
    const origin = `http://127.0.0.1:${port}`
    return { app, server, origin, anyone: createClient({ origin, document: app.document }) }
  }

  const node = await startNode()

  whenDone(async () => {
    for (const stop of stops) await stop()
    await database.close()
    await drop()
    rmSync(storage_dir, { recursive: true, force: true })
  })

  return {
    ...node,
    database,
    db,
    clock,
    key,
    storage_dir,
    /** What has been logged, a JSON text each. */
    lines,
    startNode,

    make: {
      /** Somebody with an account, logged in. */
      async user(given: { email?: string; name?: string; tenant_id?: string } = {}) {
        const { tenant_id = DEFAULT_TENANT, ...profile } = given
        const number = ++people
        const account = {
          email: `person${number}@example.com`,
          name: `Person ${number}`,
          time_zone: 'UTC',
          password: PASSWORD,
          ...profile,
        }
        const tokens = await node.app.accounts.register(tenant_id, account, { network: 'test', user_agent: 'test' })
        return this.caller(tokens)
      },

      /** Whoever holds these tokens. */
      caller(tokens: Tokens) {
        const client = node.anyone.with({ headers: { Authorization: `Bearer ${tokens.access_token}` } })
        return { ...client, user: tokens.user, tokens }
      },

      async tenant(id: string): Promise<string> {
        await inTransaction(db, db => db('tenants').insert({ id, name: id, created_at: clock.now() }))
        return id
      },
    },
  }
}
