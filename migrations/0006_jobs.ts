import type { Knex } from 'knex'
import { createTable, INSTANT } from '../src/db/tables.ts'

/** The one table that belongs to no tenant: when each job of the installation is next due. */
export async function up(db: Knex) {
  await createTable(db, 'jobs', table => {
    table.string('name', 60).primary()
    table.string('next_at', INSTANT).notNullable()
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('jobs')
}
