import { createSecretKey, randomBytes } from 'node:crypto'
import knexModule from 'knex'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import type { ApiDocument } from '../src/http/openapi.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { createMetrics } from '../src/kernel/metrics.ts'
import { createWakeups } from '../src/wakeups/local.ts'

/** What the app says of itself: it is composed as ever, on a database that nobody opens, and never started. */
export function readDocument(): ApiDocument {
  const { document } = createApp({
    config: readConfig({}),
    key: createSecretKey(randomBytes(32)),
    db: knexModule({ client: 'sqlite3', useNullAsDefault: true }),
    clock: systemClock,
    log: createLog('silent'),
    metrics: createMetrics(),
    wakeups: createWakeups(),
    version: '',
  })
  return document()
}
