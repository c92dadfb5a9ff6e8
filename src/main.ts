import { mkdirSync, readFileSync } from 'node:fs'
import { demoOwner, demoPassword, hasDemo, isNew, seed } from '../seeds/demo.ts'
import { createApp } from './app.ts'
import { type Config, ConfigError, originOf, processEnv, readConfig } from './config.ts'
import { LockedError } from './db/lock.ts'
import { migrate } from './db/migrate.ts'
import { type Database, openDatabase } from './db/open.ts'
import { createDrain, createHttpServer, listen } from './http/server.ts'
import { systemClock } from './kernel/clock.ts'
import { createLog, type Log } from './kernel/log.ts'
import { createMetrics } from './kernel/metrics.ts'
import { packageRoot } from './kernel/package.ts'
import { signingKey } from './signing-key.ts'
import { createWakeups, type Wakeups } from './wakeups/local.ts'
import { relayThroughPostgres } from './wakeups/postgres.ts'

/** The process: read the settings, bring the database up to date, listen; on SIGTERM, stop without cutting anybody off. */

/** How long a running answer may take once the process has been told to stop, and when it is gone, come what may. */
const patience_ms = 4_000
const deadline_ms = 4_800

async function start(): Promise<void> {
  const config = readConfig(processEnv())
  const log = createLog(config.log_level)
  process.on('uncaughtException', error => die(log, error))
  process.on('unhandledRejection', error => die(log, error))

  process.umask(0o077) // what this process writes is for its own user's eyes
  await blame('STORAGE_DIR', async () => mkdirSync(config.storage_dir, { recursive: true, mode: 0o700 }))
  const key = signingKey(config)
  const database = await blame('DATABASE_URL', () => openDatabase(config.database))
  await migrate(database, name => {
    log.info({ migration: name }, 'migrated')
    log.flush() // at once, so that it can be seen where a long start has got to
  })
  if (config.demo && (await isNew(database.db))) await seed(database.db)

  const metrics = createMetrics()
  metrics.watchProcess()
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8'))
  const wakeups = createWakeups()
  const app = createApp({ config, key, db: database.db, clock: systemClock, log, metrics, wakeups, version })
  const server = createHttpServer(app.handler)
  app.attach(server)
  const drain = createDrain(server)
  const { port } = await blame('HOST and PORT', () => listen(server, config.port, config.host))
  const stopSweeping = app.sweeper.start()
  const stopMailing = app.mailSweeper.start()
  const stopSignaling = app.signaling.start(Math.min(10_000, config.presence_timeout_s * 250))
  const stopRelay = relayWakeups(wakeups, database, log)
  log.info({ host: config.host, port, engine: config.database.engine, version }, 'listening')
  if (config.production && !config.smtp_url) log.warn('no SMTP_URL: letters are written to files, and nobody gets any')
  stopOnSignal(log, async () => {
    app.prepareToStop()
    await Promise.all([drain(patience_ms), stopSweeping(), stopMailing(), stopRelay()])
    await Promise.all([stopSignaling(), app.recordings.settled()])
    await database.close()
  })
  if (!config.production) {
    // A server that serves does not end because it could not say hello.
    await greet(config, port, database).catch(error => log.warn({ err: error }, 'no greeting'))
  }
}

/** Only Postgres can tell the other nodes; they look by themselves each second where nobody does. */
function relayWakeups(wakeups: Wakeups, { db, settings }: Database, log: Log): () => Promise<void> {
  if (settings.engine !== 'postgres') return async () => {}
  return relayThroughPostgres({ url: settings.url, db, wakeups, log }).stop
}

/** What fails here fails for what a setting says: the operator can mend it, and needs its name, not our stack. */
async function blame<Result>(setting: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LockedError || !(error instanceof Error)) throw error
    throw new ConfigError(`${setting}: ${error.message}`)
  }
}

/** A second signal finds no handler, and ends the process at once. */
function stopOnSignal(log: Log, stop: () => Promise<void>): void {
  const signals = ['SIGTERM', 'SIGINT'] as const
  const onSignal = (signal: NodeJS.Signals) => {
    for (const each of signals) process.off(each, onSignal)
    log.info({ signal }, 'stopping')
    const exit = (said: string) => {
      log.info(said)
      process.exit(0)
    }
    setTimeout(exit, deadline_ms, 'stopped, without waiting any longer for the database').unref()
    stop().then(
      () => exit('stopped'),
      error => die(log, error),
    )
  }
  for (const signal of signals) process.on(signal, onSignal)
}

function die(log: Log, error: unknown): never {
  log.fatal({ err: error }, 'a bug that this process must not outlive')
  process.exit(1)
}

/** For somebody who has just started it, and wonders what to do next. */
async function greet(config: Config, port: number, { db }: Database): Promise<void> {
  const origin = originOf(config, port)
  const credentials = JSON.stringify({ email: demoOwner, password: demoPassword })
  const lines = [
    `Parley is listening on ${origin}`,
    '',
    `  Docs        ${origin}/docs`,
    ...(config.demo && (await hasDemo(db))
      ? [
          `  Demo login  ${demoOwner}   password: ${demoPassword}`,
          '',
          'Log in as the demo owner:',
          '',
          `  curl -s ${origin}/api/auth/login -H 'Content-Type: application/json' -d '${credentials}'`,
        ]
      : []),
  ]
  process.stdout.write(`\n${lines.join('\n')}\n\n`)
}

/** What an operator can mend is said in a sentence; anything else comes with its stack. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return `Parley cannot start with these settings:\n${error.message}`
  if (error instanceof LockedError) return `Parley cannot start: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

start().catch(error => {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(1)
})
