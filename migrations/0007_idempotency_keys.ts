import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'idempotency_keys', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('caller_id', ID).notNullable()
    table.string('idempotency_key', 200).notNullable()
    table.string('digest', 43).notNullable()
    table.text('answer', 'mediumtext') // MySQL's plain text ends at 64 KiB
    table.string('created_at', INSTANT).notNullable()
    table.unique(['tenant_id', 'caller_id', 'idempotency_key'], { indexName: 'idempotency_keys_key' })
    table.index(['created_at'], 'idempotency_keys_age')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('idempotency_keys')
}
