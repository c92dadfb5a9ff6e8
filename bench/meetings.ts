import { createSecretKey, randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { migrate } from '../src/db/migrate.ts'
import { openDatabase } from '../src/db/open.ts'
import { inTransaction } from '../src/db/transaction.ts'
import { createPasswords } from '../src/features/accounts/passwords.ts'
import { createHttpServer, listen } from '../src/http/server.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { createMetrics } from '../src/kernel/metrics.ts'
import { createWakeups } from '../src/wakeups/local.ts'
import { emptyDatabase, engine } from '../test/support/database.ts'
import { fillWithMeetings, plansOf } from './support/meetings.ts'
import { quantile, row } from './support/parley.ts'

/**
 * What a page of my hundred meetings costs among a thousand meetings, and among a hundred thousand of a thousand owners:
 * the first page and the fiftieth, over HTTP, the two servers asked in turn. On SQLite, or on TEST_DATABASE_URL.
 */

const each = 100
const rounds = Number(process.env.ROUNDS ?? 300)
const password = 'correct horse battery'

const few = await serve(1_000 / each)
const many = await serve(100_000 / each)
const cells: { [name: string]: { few: number[]; many: number[] } } = {}

for (const [name, sort] of [
  ['by time', '-scheduled_at'],
  ['by title', 'title'],
  ['with a status', '-created_at&status=scheduled'],
  ['found by a word', 'created_at&q=meeting'],
] as const) {
  const pages = { few: await walk(few, sort), many: await walk(many, sort) }
  for (const [page, label] of [
    [0, 'first page'],
    [49, 'fiftieth page'],
  ] as const) {
    const cell = { few: [] as number[], many: [] as number[] }
    cells[`${label} ${name}`] = cell
    for (let round = -20; round < rounds; round++) {
      const order = round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)
      for (const which of order) {
        const took = await time(which === 'few' ? few : many, pages[which][page] ?? '')
        if (round >= 0) cell[which].push(took) // the first twenty warm up
      }
    }
  }
}

console.log(`\n${engine}: ${rounds} requests each, in turn; medians in µs\n`)
console.log(row('', '1 000', '100 000', 'ratio'))
for (const [name, cell] of Object.entries(cells)) {
  const [small, large] = [quantile(cell.few, 0.5), quantile(cell.many, 0.5)]
  console.log(row(name, small.toFixed(0), large.toFixed(0), (large / small).toFixed(2)))
}
const [plan] = await plansOf(many.db, 'meeting_participants', () => time(many, '/api/meetings?limit=2'))
console.log(`\n${plan}`)
for (const { stop } of [few, many]) await stop()
process.exit(0)

async function serve(owners: number) {
  const { settings, drop } = await emptyDatabase()
  const database = await openDatabase(settings)
  const { db } = database
  await migrate(database)
  const [me = ''] = await fillWithMeetings(db, owners, each)
  const password_hash = await createPasswords().hash(password)
  await inTransaction(db, db => db('users').where({ id: me }).update({ password_hash }))
  const app = createApp({
    config: readConfig({ RATE_LIMITS: 'off', STORAGE_DIR: tmpdir() }),
    key: createSecretKey(randomBytes(32)),
    db,
    clock: systemClock,
    log: createLog('silent'),
    metrics: createMetrics(),
    wakeups: createWakeups(),
    version: '0.0.0',
  })
  const server = createHttpServer(app.handler)
  const { port } = await listen(server, 0, '127.0.0.1')
  const from = { network: 'bench', user_agent: 'bench' }
  const { access_token } = await app.accounts.logIn('default', { email: 'owner0@example.com', password }, from)
  const stop = async () => {
    server.close()
    server.closeAllConnections()
    await database.close()
    await drop()
  }
  return { db, origin: `http://127.0.0.1:${port}`, headers: { Authorization: `Bearer ${access_token}` }, stop }
}

type Served = Awaited<ReturnType<typeof serve>>

/** Where each of the fifty pages is. */
async function walk({ origin, headers }: Served, sort: string): Promise<string[]> {
  const paths: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path = `/api/meetings?limit=2&sort=${sort}${cursor && `&cursor=${cursor}`}`
    const answer = await fetch(origin + path, { headers })
    const { next_cursor } = (await answer.json()) as { next_cursor: string | null }
    paths.push(path)
    cursor = next_cursor
  }
  if (paths.length !== 50) throw new Error(`There are ${paths.length} pages`)
  return paths
}

async function time({ origin, headers }: Served, path: string): Promise<number> {
  const started = performance.now()
  const answer = await fetch(origin + path, { headers })
  await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return (performance.now() - started) * 1000
}
