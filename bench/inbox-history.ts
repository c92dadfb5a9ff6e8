import { createSecretKey, randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import knexModule, { type Knex } from 'knex'
import { createApp } from '../src/app.ts'
import { type DatabaseSettings, readConfig } from '../src/config.ts'
import { migrate } from '../src/db/migrate.ts'
import { openDatabase } from '../src/db/open.ts'
import { type Db, inTransaction, writerOf } from '../src/db/transaction.ts'
import { createHttpServer, listen } from '../src/http/server.ts'
import { clockFrom } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { createMetrics } from '../src/kernel/metrics.ts'
import { createWakeups } from '../src/wakeups/local.ts'
import { emptyDatabase, engine } from '../test/support/database.ts'
import {
  countHistory,
  enterRoom,
  fillInboxes,
  fillWithHistory,
  historyId,
  type Person,
  signalTo,
} from './support/inbox.ts'
import { quantile, row } from './support/parley.ts'

/**
 * What a live pair pays for the history of others: a send, a poll and an ack on an empty database, and on one with
 * ROWS acknowledged and expired signals of MEETINGS ended meetings, over HTTP, the two servers asked in turn. So are the
 * jobs that look after inboxes. On SQLite, or on Postgres by TEST_DATABASE_URL. With CHECK=1 it fails where it is not flat.
 */

const rows = Number(process.env.ROWS ?? 200_000)
const meetings = Number(process.env.MEETINGS ?? Math.min(100_000, Math.ceil(rows / 10)))
const rounds = Number(process.env.ROUNDS ?? 300)
const crowd = 20
const tolerated = Number(process.env.TOLERATED ?? 1.5)
/** Of those that a purge may delete in one transaction. */
const mostPurged = 500
/** Of the names in the table. */
const widest = 38

interface Pair {
  served: Served
  speaker: Person
  listener: Person
  cursor: number
  first_seq: number
}

const all = (pairs: Pair[], act: (pair: Pair) => Promise<void>) => Promise.all(pairs.map(act))

const candidate = { candidate: `candidate:1 1 udp 2122260223 192.168.1.7 51234 typ host ${'x'.repeat(180)}` }

/** What a pair does, in this order, over and over. */
const acts = {
  async send({ speaker, listener, first_seq }: Pair) {
    expect(await speaker.send(signalTo(listener.id, 'candidate', candidate), first_seq), '"queued"')
  },
  async 'the same send again'({ speaker, listener, first_seq }: Pair) {
    expect(await speaker.send(signalTo(listener.id, 'candidate', candidate), first_seq), '"duplicate"')
  },
  async poll({ listener, cursor }: Pair) {
    const { signals } = JSON.parse(await listener.poll(`after=${cursor}`))
    expect(`${signals.length}`, '1')
  },
  /** As one that another node has just written to. */
  async 'poll, read from the table'({ served, listener, cursor }: Pair) {
    served.wakeups.wake(`inbox ${listener.id}`)
    expect(await listener.poll(`after=${cursor}`), '"candidate"')
  },
  async ack(pair: Pair) {
    pair.first_seq++
    expect(await pair.listener.ack(++pair.cursor), '"acknowledged":1')
  },
}

let ahead_ms = 0
const clock = clockFrom(() => Date.now() + ahead_ms)
const faults: string[] = []
const cells: { [name: string]: { few: number[]; many: number[] } } = {}

const few = await serve(async () => {})
const many = await serve(filler => fillWithHistory(filler, clock, meetings, rows))
const before = await countHistory(many.db)
for (const [people, times] of [
  [1, rounds],
  [crowd, Math.ceil(rounds / 4)],
] as const) {
  const named = (what: string) => (people === 1 ? what : `${what}, ${people} at once`)
  const pairs = { few: await enterPairs(few, people), many: await enterPairs(many, people) }
  for (let round = -20; round < times; round++) {
    for (const [name, act] of Object.entries(acts)) {
      await inTurn(named(name), round, which => all(pairs[which], act))
    }
  }
  // Something unread, as there always is.
  for (const which of ['few', 'many'] as const) await all(pairs[which], acts.send)
}
for (const [i, { name }] of few.app.signaling.jobs.entries()) {
  for (let round = -5; round < 50; round++) {
    await inTurn(name, round, which => (which === 'few' ? few : many).app.signaling.jobs[i]?.run())
  }
}
if ((await countHistory(many.db)) !== before) faults.push('the history did not stay what it was')
for (let round = -1; round < 10; round++) {
  ahead_ms += 3600_000 // so that each job is due again
  await inTurn('every job of the sweeper', round, which => (which === 'few' ? few : many).app.sweeper.tick())
}
print()
await checkPurges()
for (const { stop } of [few, many]) await stop()
for (const fault of faults) console.log(`\nnot kept: ${fault}`)
process.exit(process.env.CHECK === '1' && faults.length > 0 ? 1 : 0)

/** Each goes first in turn; rounds below zero warm up. */
async function inTurn(name: string, round: number, act: (which: 'few' | 'many') => unknown): Promise<void> {
  const cell = cells[name] ?? { few: [], many: [] }
  cells[name] = cell
  for (const which of round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)) {
    const started = performance.now()
    await act(which)
    if (round >= 0) cell[which].push((performance.now() - started) * 1000)
  }
}

async function serve(fill: (filler: Knex) => Promise<void>) {
  const { settings, url, drop } = await emptyDatabase()
  const empty = await openDatabase(settings)
  await migrate(empty)
  await empty.close()
  const filler = openFiller(settings)
  await filler.raw(settings.engine === 'sqlite' ? 'PRAGMA synchronous = OFF' : 'SET synchronous_commit = off')
  await fill(filler)
  // What the engine itself would do in the days that such a history takes.
  if (settings.engine === 'postgres') for (const command of ['VACUUM ANALYZE', 'CHECKPOINT']) await filler.raw(command)
  else await filler.raw('PRAGMA wal_checkpoint(TRUNCATE)')
  await filler.destroy()

  const database = await openDatabase(settings)
  const { db } = database
  const wakeups = createWakeups()
  const app = createApp({
    config: readConfig({ DATABASE_URL: url, RATE_LIMITS: 'off', STORAGE_DIR: tmpdir() }),
    key: createSecretKey(randomBytes(32)),
    db,
    clock,
    log: createLog('fatal'),
    metrics: createMetrics(),
    wakeups,
    version: '0.0.0',
  })
  const server = createHttpServer(app.handler)
  const { port } = await listen(server, 0, '127.0.0.1')
  const stop = async () => {
    server.close()
    server.closeAllConnections()
    await database.close()
    await drop()
  }
  return { app, db, wakeups, origin: `http://127.0.0.1:${port}`, stop }
}

type Served = Awaited<ReturnType<typeof serve>>

function openFiller(settings: DatabaseSettings): Knex {
  const pool = { min: 1, max: 1 }
  if (settings.engine === 'sqlite') {
    return knexModule({ client: 'sqlite3', connection: { filename: settings.file }, useNullAsDefault: true, pool })
  }
  if (settings.engine === 'postgres') return knexModule({ client: 'pg', connection: settings.url, pool })
  throw new Error('Only SQLite and Postgres are measured')
}

function enterPairs(served: Served, count: number): Promise<Pair[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i): Promise<Pair> => {
      const speaker = await enterRoom(served.origin, `room-${count}-${i}`, 'Ada')
      const listener = await enterRoom(served.origin, `room-${count}-${i}`, 'Bob')
      return { served, speaker, listener, cursor: 0, first_seq: 1 }
    }),
  )
}

function expect(text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`${part} is not in ${text}`)
}

/**
 * The jobs that delete what closed connections have left, those of a while ago and those of last month: all of it goes,
 * but never more than a little in one transaction, for which everybody who sends has to wait.
 */
async function checkPurges(): Promise<void> {
  const { db, app } = many
  const tickLater = () => {
    ahead_ms += 3600_000
    return app.sweeper.tick()
  }
  const purges = {
    'closed a while ago': { closed_at: clock.in(-60), run: app.signaling.jobs.at(-1)?.run },
    'closed last month': { closed_at: clock.in(-31 * 24 * 3600), run: tickLater },
  }
  console.log(`\n${row('deleted of connections'.padEnd(widest), 'rows', 'at once')}`)
  for (const [i, [name, { closed_at, run }]] of Object.entries(purges).entries()) {
    const [from, to] = [i * 4, i * 4 + 4]
    const ids = Array.from({ length: 4 }, (_, j) => historyId('con', from + j))
    await inTransaction(db, async db => {
      await db('rtc_connections').whereIn('id', ids).update({ closed_at })
      await fillInboxes(db, 600, from, to, 1000)
    })
    const left = await countLeft(db, ids)
    const watched = watchDeletes(db)
    for (let again = 0; again < 100 && (await countLeft(db, ids)) > 0; again++) await run?.()
    const perTransaction = watched.stop()
    const most = Math.max(...perTransaction)
    const gone = perTransaction.reduce((sum, count) => sum + count, 0)
    console.log(row(name.padEnd(widest), `${gone}`, `${most}`))
    if (gone !== left) faults.push(`${left} rows of connections ${name} were to go, and ${gone} went`)
    if (most > mostPurged) faults.push(`of connections ${name}, ${most} rows were deleted in one transaction`)
  }
}

async function countLeft(db: Db, ids: string[]): Promise<number> {
  let left = 0
  for (const table of ['rtc_signals', 'rtc_sends']) {
    const [counted] = await db(table).whereIn('connection_id', ids).count({ count: '*' })
    left += Number(counted?.count)
  }
  return left
}

/** How many rows of inboxes each transaction deletes. */
function watchDeletes(db: Db) {
  const deleted = new Map<string, number>()
  const note = (answer: unknown, { sql, __knexTxId }: { sql: string; __knexTxId: string }) => {
    if (!/^delete from .rtc_(signals|sends)/i.test(sql)) return
    deleted.set(__knexTxId, (deleted.get(__knexTxId) ?? 0) + Number(answer))
  }
  writerOf(db).on('query-response', note)
  return {
    stop(): number[] {
      writerOf(db).removeListener('query-response', note)
      return [...deleted.values()]
    },
  }
}

function print(): void {
  console.log(
    `\n${engine}: ${rows} rows of history in ${meetings} meetings; ${rounds} rounds, in turn; medians in µs\n`,
  )
  console.log(row(''.padEnd(widest), 'empty', 'history', 'ratio'))
  for (const [name, { few, many }] of Object.entries(cells)) {
    const [small, large] = [quantile(few, 0.5), quantile(many, 0.5)]
    console.log(row(name.padEnd(widest), small.toFixed(0), large.toFixed(0), (large / small).toFixed(2)))
    if (large / small > tolerated) faults.push(`${name} costs ${(large / small).toFixed(2)} times as much`)
  }
}
