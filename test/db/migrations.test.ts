import { readdirSync } from 'node:fs'
import type { Knex } from 'knex'
import { describe, expect, it } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { migrate, migrationSource, pendingMigrations } from '../../src/db/migrate.ts'
import { type Database, openDatabase } from '../../src/db/open.ts'
import { writerOf } from '../../src/db/transaction.ts'
import { whenDone } from '../support/cleanup.ts'
import { emptyDatabase, engine } from '../support/database.ts'

async function open(): Promise<Database> {
  const { settings, drop } = await emptyDatabase()
  const database = await openDatabase(settings)
  whenDone(async () => {
    await database.close()
    await drop()
  })
  return database
}

const names = Object.keys(migrations)
const ours = ['tenants', 'users', 'logins', 'refresh_tokens', 'events', 'jobs', 'idempotency_keys']

/** Each table with its columns, in the words of the engine. */
async function schemaOf(db: Knex) {
  const tables = await Promise.all(ours.map(async table => [table, await db(table).columnInfo()] as const))
  return Object.fromEntries(tables.filter(([, columns]) => Object.keys(columns).length > 0))
}

describe('the migrations', async () => {
  it('are all listed, in order', () => {
    const files = readdirSync('migrations').filter(file => file !== 'index.ts')
    expect(names).toEqual(files.map(file => file.replace('.ts', '')).sort())
  })

  it('go up, down and up again', async () => {
    const database = await open()
    const writer = writerOf(database.db)
    const told: string[] = []
    await migrate(database, name => told.push(name))
    expect(told).toEqual(names)
    const first = await schemaOf(writer)
    expect(Object.keys(first).sort()).toEqual([...ours].sort())

    await writer.migrate.rollback({ migrationSource }, true)
    expect(await schemaOf(writer)).toEqual({})
    await migrate(database)
    expect(await schemaOf(writer)).toEqual(first)
    expect(await pendingMigrations(database.db)).toEqual([])
    expect(await writer('tenants').pluck('id')).toEqual(['default'])
  })

  it('can each be run again, as after a process that died before it could say that it was done', async () => {
    const database = await open()
    const writer = writerOf(database.db)
    await migrate(database)
    const first = await schemaOf(writer)
    for (const name of names) {
      await writer('knex_migrations').where({ name }).delete()
      await writer('knex_migrations_lock').update({ is_locked: 1 })
      await migrate(database)
      expect(await pendingMigrations(database.db)).toEqual([])
    }
    expect(await schemaOf(writer)).toEqual(first)
  })

  it('are run once by five who begin at the same moment', async () => {
    const database = await open()
    const told: string[] = []
    const starts = engine === 'sqlite' ? 1 : 5 // one process has a SQLite file to itself
    await Promise.all(Array.from({ length: starts }, () => migrate(database, name => told.push(name))))
    expect(told).toEqual(names)
  })

  it('give every table but the schedule of jobs a tenant', async () => {
    const database = await open()
    await migrate(database)
    for (const table of ours) {
      const columns = Object.keys(await database.db(table).columnInfo())
      if (!['tenants', 'jobs'].includes(table)) expect(columns, table).toContain('tenant_id')
    }
  })
})
