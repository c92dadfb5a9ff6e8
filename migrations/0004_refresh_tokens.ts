import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'refresh_tokens', table => {
    table.string('token_hash', 43).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('login_id', ID).notNullable().references('logins.id').onDelete('cascade').withKeyName('tokens_login')
    table.string('created_at', INSTANT).notNullable()
    table.string('expires_at', INSTANT).notNullable()
    table.string('used_at', INSTANT)
    table.index(['login_id'], 'refresh_tokens_login')
    table.index(['expires_at'], 'refresh_tokens_expiry')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('refresh_tokens')
}
