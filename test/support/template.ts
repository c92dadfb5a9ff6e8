import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { emptyDatabase } from './database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of a database that has been migrated, and is only copied. */
    template: string
  }
}

/** Migrates one database for all tests: each world begins with a copy of it, in a third of the time. */
export default async function template({ provide }: Pick<TestProject, 'provide'>): Promise<() => Promise<void>> {
  const { settings, url, drop } = await emptyDatabase()
  const database = await openDatabase(settings)
  await migrate(database)
  await database.close()
  provide('template', url)
  return drop
}
