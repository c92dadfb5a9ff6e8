import knexModule from 'knex'
import type { DatabaseSettings } from '../config.ts'
import { finalizePrepared } from './dialects.ts'
import { readerConfig, writerConfig } from './engines.ts'
import { lockFile } from './lock.ts'
import { type Db, setWriter, writerOf } from './transaction.ts'

export interface Database {
  /** Read with it, or begin a transaction on it. */
  db: Db
  settings: DatabaseSettings
  close(): Promise<void>
}

/** Opens the database, and makes its file where there is none. A SQLite file that another process holds is refused. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  const unlock = settings.engine === 'sqlite' ? await lockFile(settings.file) : async () => {}
  const writer = knexModule(writerConfig(settings))
  const forReading = readerConfig(settings)
  const db = forReading ? knexModule(forReading) : writer
  if (db !== writer) setWriter(db, writer)

  async function close() {
    if (db !== writer) await db.destroy()
    if (settings.engine === 'sqlite') await finalizePrepared(writer)
    await writer.destroy()
    await unlock()
  }

  try {
    await writer.raw('SELECT 1') // the file exists and is in WAL mode before the first reader opens it
    return { db, settings, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** How many connections are in use, free, and waited for: a full pool is the first sign of a database in trouble. */
export function poolOf(db: Db): { used: number; free: number; waiting: number } {
  const pools = [...new Set([db, writerOf(db)])].map(({ client }) => client.pool)
  const sum = (count: (pool: (typeof pools)[number]) => number) => pools.reduce((total, pool) => total + count(pool), 0)
  return {
    used: sum(pool => pool.numUsed()),
    free: sum(pool => pool.numFree()),
    waiting: sum(pool => pool.numPendingAcquires()),
  }
}
