import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexModule from 'knex'
import { type DatabaseSettings, readDatabase } from '../../src/config.ts'
import { writerConfig } from '../../src/db/engines.ts'

/** The engine that this run of the suite is on. */
export const engine = readDatabase({ DATABASE_URL: process.env.TEST_DATABASE_URL }).engine

/** An empty database of its own, on the engine of TEST_DATABASE_URL or on SQLite, and the way to be rid of it. */
export async function emptyDatabase(): Promise<{ settings: DatabaseSettings; url: string; drop(): Promise<void> }> {
  const server = process.env.TEST_DATABASE_URL
  if (!server) {
    const folder = mkdtempSync(join(tmpdir(), 'parley-'))
    const file = join(folder, 'parley.sqlite')
    return {
      settings: { engine: 'sqlite', file },
      url: `sqlite:${file}`,
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    }
  }
  const name = `parley_test_${randomBytes(6).toString('hex')}`
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href
  await onServer(server, `CREATE DATABASE ${name}`)
  return {
    settings: readDatabase({ DATABASE_URL: url }),
    url,
    drop: () => onServer(server, `DROP DATABASE ${name}${engine === 'postgres' ? ' WITH (FORCE)' : ''}`),
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const admin = knexModule({ ...writerConfig(readDatabase({ DATABASE_URL: url })), pool: { min: 0, max: 1 } })
  try {
    await admin.raw(sql)
  } finally {
    await admin.destroy()
  }
}
