import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import knexModule, { type Knex } from 'knex'
import sqlite3 from 'sqlite3'
import type { DatabaseSettings } from '../config.ts'

/**
 * Locks that the operating system or the engine gives back when a process dies, however it dies. A lock that is a row
 * or a file's mere presence outlives a `kill -9` and has to be cleared by hand; these never do.
 */

export class LockedError extends Error {
  override readonly name = 'LockedError'
}

type Release = () => Promise<void>

/**
 * A SQLite database belongs to one process. The lock is an open transaction on a small SQLite file beside it: a lock
 * of the operating system on every platform, without an addon of its own. A row in that file says who holds it.
 */
export async function lockFile(databaseFile: string): Promise<Release> {
  // One database has one lock, by whatever link it is reached.
  const file = `${existsSync(databaseFile) ? realpathSync(databaseFile) : databaseFile}.lock`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const connection = await openFile(file)
  try {
    await exec(connection, 'CREATE TABLE IF NOT EXISTS holder (pid INTEGER, since TEXT)')
    const since = new Date().toISOString()
    await exec(connection, `BEGIN; DELETE FROM holder; INSERT INTO holder VALUES (${process.pid}, '${since}'); COMMIT`)
    await exec(connection, 'BEGIN IMMEDIATE')
  } catch (error) {
    const holder = await readHolder(connection)
    await close(connection)
    if (!isBusy(error)) throw error
    throw new LockedError(`${databaseFile} is in use by another process${holder}, which holds ${file}`)
  }
  return () => close(connection)
}

/**
 * Runs `work` while no other process migrates. It gets a connection of its own, on which the lock lives and dies, and
 * on which a statement may take its time. On SQLite the lock of the file is enough.
 */
export async function withMigrationLock<Result>(
  writer: Knex,
  settings: DatabaseSettings,
  work: (session: Knex) => Promise<Result>,
): Promise<Result> {
  if (settings.engine === 'sqlite') return work(writer)
  const { connection, pool, ...config } = writer.client.config
  const patient = { ...connection, query_timeout: 0, statement_timeout: 0, idle_in_transaction_session_timeout: 0 }
  const session = knexModule({
    ...config,
    connection: settings.engine === 'postgres' ? patient : connection,
    pool: { ...pool, min: 1, max: 1 },
  })
  try {
    if (settings.engine === 'postgres') {
      await session.raw('SELECT pg_advisory_lock(?)', [0x7061726c])
    } else {
      // GET_LOCK is one name for the whole server; another database of it is none of our business.
      const [[row]] = await session.raw("SELECT GET_LOCK(CONCAT('parley ', SHA1(DATABASE())), 600) AS held")
      if (row.held !== 1) throw new LockedError('another process has been migrating for ten minutes')
    }
    return await work(session)
  } finally {
    await session.destroy()
  }
}

const isBusy = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'

async function readHolder(connection: sqlite3.Database): Promise<string> {
  const row = await new Promise<unknown>(resolve => {
    connection.get('SELECT pid, since FROM holder', (_error, found) => resolve(found))
  })
  const known = typeof row === 'object' && row !== null && 'pid' in row && 'since' in row
  return known ? ` (pid ${row.pid}, since ${row.since})` : ''
}

const openFile = (file: string) =>
  new Promise<sqlite3.Database>((resolve, reject) => {
    const connection = new sqlite3.Database(file, error => (error ? reject(error) : resolve(connection)))
  })

const exec = (connection: sqlite3.Database, sql: string) =>
  new Promise<void>((resolve, reject) => {
    connection.exec(sql, error => (error ? reject(error) : resolve()))
  })

const close = (connection: sqlite3.Database) =>
  new Promise<void>((resolve, reject) => {
    connection.close(error => (error ? reject(error) : resolve()))
  })
