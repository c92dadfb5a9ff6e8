import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'mails', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('kind', 40).notNullable()
    table.string('dedupe_key', 200).notNullable()
    table.string('to_address', 254).notNullable()
    table.text('facts').notNullable()
    table.integer('attempts').notNullable()
    table.string('next_attempt_at', INSTANT).notNullable()
    table.string('leased_until', INSTANT)
    table.string('last_error', 60)
    table.string('sent_at', INSTANT)
    table.string('failed_at', INSTANT)
    table.string('created_at', INSTANT).notNullable()
    table.unique(['dedupe_key'], { indexName: 'mails_dedupe' })
    table.index(['sent_at', 'failed_at', 'next_attempt_at', 'id'], 'mails_due') // its first column finds old ones, too
    table.index(['failed_at'], 'mails_failed')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('mails')
}
