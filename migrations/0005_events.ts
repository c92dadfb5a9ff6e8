import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'events', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('type', 60).notNullable()
    table.string('actor_kind', 20).notNullable()
    table.string('actor_id', ID)
    table.text('data').notNullable()
    table.string('occurred_at', INSTANT).notNullable()
    table.index(['tenant_id', 'occurred_at', 'id'], 'events_of_tenant')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('events')
}
