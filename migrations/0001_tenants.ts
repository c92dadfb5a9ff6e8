import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'tenants', table => {
    table.string('id', ID).primary()
    table.string('name', 120).notNullable()
    table.string('created_at', INSTANT).notNullable()
  })
  // Every row of every other table belongs to a tenant, so a plain installation needs one to run at all.
  const tenant = { id: 'default', name: 'Default', created_at: new Date().toISOString() }
  await db('tenants').insert(tenant).onConflict('id').ignore()
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('tenants')
}
