import type { Knex } from 'knex'
import pg from 'pg'
import type { Database as SqliteConnection } from 'sqlite3'
import type { DatabaseSettings } from '../config.ts'
import { decode } from './codecs.ts'

/** How Knex reaches each engine, and what each connection is told first so that all three behave alike. */

type Pool = Pick<Knex.PoolConfig, 'min' | 'max' | 'afterCreate'>
type Done = (error: Error | null) => void

const shared = {
  acquireConnectionTimeout: 10_000,
  log: { warn: () => {}, error: () => {} }, // Knex prints what it also throws; whoever asked tells of it once
  postProcessResponse: decode,
  compileSqlOnError: false, // the message of an error shows `?`, not what a person typed
} satisfies Knex.Config

export function writerConfig(settings: DatabaseSettings): Knex.Config {
  if (settings.engine === 'postgres') return { ...shared, client: 'pg', connection: postgres(settings.url), pool: wide }
  if (settings.engine === 'mysql') {
    return { ...shared, client: 'mysql2', connection: mysql(settings.url), pool: { ...wide, afterCreate: tellMysql } }
  }
  // SQLite has one writer at a time; a pool of one queues for it in order, where two would fail with SQLITE_BUSY.
  return { ...shared, ...sqlite(settings.file), pool: { min: 1, max: 1, afterCreate: tellSqlite(false) } }
}

/** SQLite alone has connections that only read: in WAL mode they see the last commit and never wait for the writer. */
export function readerConfig(settings: DatabaseSettings): Knex.Config | undefined {
  if (settings.engine !== 'sqlite') return undefined
  return { ...shared, ...sqlite(settings.file), pool: { min: 1, max: 3, afterCreate: tellSqlite(true) } }
}

const wide: Pool = { min: 0, max: 10 }

const sqlite = (filename: string): Knex.Config => ({
  client: 'sqlite3',
  connection: { filename },
  useNullAsDefault: true,
})

const tellSqlite = (readOnly: boolean) => (connection: SqliteConnection, done: Done) => {
  const pragmas = [
    'journal_mode = WAL',
    'synchronous = FULL', // a committed answer is a flushed one
    'foreign_keys = ON',
    'busy_timeout = 5000',
    ...(readOnly ? ['query_only = ON'] : []),
  ]
  connection.exec(pragmas.map(pragma => `PRAGMA ${pragma};`).join(' '), done)
}

/**
 * Prepared statements keep the plan of the day on which they were first run, when most tables were still empty: it would
 * read all of a table that has grown since. Each question of ours has an index, and none takes long enough to be compiled.
 */
const byIndex = '-c jit=off -c enable_seqscan=off -c enable_bitmapscan=off'

const postgres = (connectionString: string): Knex.PgConnectionConfig & Pick<pg.ClientConfig, 'pipeline'> => ({
  connectionString,
  application_name: 'parley',
  options: byIndex,
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  statement_timeout: 30_000,
  query_timeout: 35_000, // when not even the refusal of a statement comes back
  idle_in_transaction_session_timeout: 30_000,
  types: { getTypeParser: postgresParser },
  pipeline: true, // for prepared.ts, which sends what it writes in one go
})

/** int8 arrives as text, since it may exceed 2^53. Ours are counts, which do not. */
const postgresParser: Knex.PgGetTypeParser = (oid, format) =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text')

const mysql = (uri: string): Knex.MySql2ConnectionConfig => ({
  uri,
  charset: 'utf8mb4',
  connectTimeout: 10_000,
  supportBigNumbers: true,
})

/** REPEATABLE READ, the default, reads a stale snapshot after it waited for a lock, and its gap locks block inserts. */
function tellMysql(connection: { query(sql: string, done: Done): void }, done: Done) {
  connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', error => {
    if (error) done(error)
    else connection.query('SET SESSION innodb_lock_wait_timeout = 5', done)
  })
}
