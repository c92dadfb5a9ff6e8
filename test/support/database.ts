import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexModule, { type Knex } from 'knex'
import { type DatabaseSettings, readDatabase } from '../../src/config.ts'
import { writerConfig } from '../../src/db/engines.ts'

const server = process.env.TEST_DATABASE_URL

/** The engine that this run of the suite is on. */
export const engine = readDatabase({ DATABASE_URL: server }).engine

interface TestDatabase {
  settings: DatabaseSettings
  url: string
  drop(): Promise<void>
}

/** An empty database of its own, on the engine of TEST_DATABASE_URL or on SQLite, and the way to be rid of it. */
export function emptyDatabase(): Promise<TestDatabase> {
  return server ? databaseOn(server, (admin, name) => admin.raw(`CREATE DATABASE ${name}`)) : databaseFile()
}

/** The same with all that is in another one, which nobody has open. */
export function copyOf(template: string): Promise<TestDatabase> {
  if (!server) return databaseFile(template.replace('sqlite:', ''))
  const original = new URL(template).pathname.slice(1)
  return databaseOn(server, (admin, name) =>
    engine === 'postgres'
      ? admin.raw(`CREATE DATABASE ${name} TEMPLATE ${original}`)
      : copyTables(admin, original, name),
  )
}

async function databaseFile(original?: string): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-'))
  const file = join(folder, 'parley.sqlite')
  if (original) copyFileSync(original, file)
  return {
    settings: { engine: 'sqlite', file },
    url: `sqlite:${file}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function databaseOn(
  server: string,
  create: (admin: Knex, name: string) => Promise<unknown>,
): Promise<TestDatabase> {
  const name = `parley_test_${randomBytes(6).toString('hex')}`
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href
  await asAdmin(server, admin => create(admin, name))
  const force = engine === 'postgres' ? ' WITH (FORCE)' : ''
  return {
    settings: readDatabase({ DATABASE_URL: url }),
    url,
    drop: () => asAdmin(server, admin => admin.raw(`DROP DATABASE ${name}${force}`)),
  }
}

/** MariaDB knows no templates. A table that is made LIKE another one would have no foreign keys. */
async function copyTables(admin: Knex, original: string, name: string): Promise<void> {
  await admin.raw(`CREATE DATABASE ${name}`)
  const [tables] = await admin.raw(
    'SELECT table_name AS `name` FROM information_schema.tables WHERE table_schema = ?',
    [original],
  )
  await admin.raw('SET foreign_key_checks = 0')
  for (const { name: table } of tables) {
    await admin.raw(`USE ${original}`)
    const [[{ 'Create Table': create }]] = await admin.raw(`SHOW CREATE TABLE ${table}`)
    await admin.raw(`USE ${name}`)
    await admin.raw(create)
    await admin.raw(`INSERT INTO ${table} SELECT * FROM ${original}.${table}`)
  }
}

/** On one connection. */
async function asAdmin(url: string, work: (admin: Knex) => Promise<unknown>): Promise<void> {
  const admin = knexModule({ ...writerConfig(readDatabase({ DATABASE_URL: url })), pool: { min: 0, max: 1 } })
  try {
    await work(admin)
  } finally {
    await admin.destroy()
  }
}
