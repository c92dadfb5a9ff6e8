import type { Knex } from 'knex'
import { migrations } from '../../migrations/index.ts'
import { withMigrationLock } from './lock.ts'
import type { Database } from './open.ts'
import { type Db, writerOf } from './transaction.ts'

/**
 * Knex records the name of a file with its extension, so `.ts` and the built `.js` would count as two migrations.
 * Ours are an explicit list of names, the same in every way of running.
 */
export const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => Object.keys(migrations),
  getMigrationName: name => name,
  getMigration: async name => {
    const migration = migrations[name]
    if (!migration) throw new Error(`There is no migration ${name}`)
    return migration
  },
}

/**
 * Brings the schema up to date, one migration at a time, and tells of each. Of several processes that start at once,
 * one migrates and the others wait for it. One that was killed leaves nothing that blocks: the engine has let go of its
 * lock, so whatever Knex's own lock row still says is out of date, and each migration can be run again.
 */
export function migrate({ db, settings }: Database, tell: (name: string) => void = () => {}): Promise<void> {
  return withMigrationLock(writerOf(db), settings, async session => {
    await session.migrate.forceFreeMigrationsLock({ migrationSource })
    for (;;) {
      const [, [name]] = await session.migrate.up({ migrationSource })
      if (name === undefined) return
      tell(name)
    }
  })
}

/** Names of migrations that this version knows and the database has not had. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const done = new Set(await db('knex_migrations').pluck('name'))
  return Object.keys(migrations).filter(name => !done.has(name))
}
