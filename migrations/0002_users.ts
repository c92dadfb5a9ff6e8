import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'users', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable().references('tenants.id').withKeyName('users_tenant')
    table.string('email', 254).notNullable()
    table.string('name', 120).notNullable()
    table.string('time_zone', 64).notNullable()
    table.string('password_hash', 255).notNullable()
    table.integer('version').notNullable()
    table.string('created_at', INSTANT).notNullable()
    table.string('updated_at', INSTANT).notNullable()
    table.unique(['tenant_id', 'email'], { indexName: 'users_email' })
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('users')
}
