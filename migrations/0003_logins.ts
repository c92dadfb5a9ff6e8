import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'logins', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('user_id', ID).notNullable().references('users.id').onDelete('cascade').withKeyName('logins_user')
    table.string('user_agent', 200).notNullable()
    table.string('created_at', INSTANT).notNullable()
    table.string('last_used_at', INSTANT).notNullable()
    table.string('expires_at', INSTANT).notNullable()
    table.string('ended_at', INSTANT)
    table.string('end_reason', 40)
    table.index(['tenant_id', 'user_id', 'created_at', 'id'], 'logins_of_user')
    table.index(['expires_at'], 'logins_expiry')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('logins')
}
