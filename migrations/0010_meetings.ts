import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'meetings', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable().references('tenants.id').withKeyName('meetings_tenant')
    table.string('owner_id', ID).references('users.id').withKeyName('meetings_owner') // none in a quick room
    table.string('title', 200).notNullable()
    table.text('description').notNullable()
    table.string('type', 20).notNullable()
    table.string('kind', 20).notNullable()
    table.string('status', 20).notNullable()
    table.string('scheduled_at', INSTANT)
    table.integer('duration_minutes').notNullable()
    table.string('time_zone', 64).notNullable()
    table.string('recurrence', 500)
    table.integer('max_participants').notNullable()
    table.integer('max_duration_minutes')
    table.boolean('lobby').notNullable()
    table.boolean('guests').notNullable()
    table.boolean('locked').notNullable()
    table.string('senders', 20).notNullable()
    table.string('screen_share', 20).notNullable()
    table.string('chat', 20).notNullable()
    table.string('recording', 20).notNullable()
    table.string('provider', 20).notNullable()
    table.text('metadata').notNullable()
    table.string('join_code', 32).notNullable()
    table.string('room_name', 64)
    table.integer('sequence').notNullable()
    table.integer('version').notNullable()
    table.string('started_at', INSTANT)
    table.string('ended_at', INSTANT)
    table.string('created_at', INSTANT).notNullable()
    table.string('updated_at', INSTANT).notNullable()
    table.index(['owner_id', 'updated_at'], 'meetings_of_owner')
    table.unique(['join_code'], { indexName: 'meetings_join_code' })
    table.unique(['tenant_id', 'room_name'], { indexName: 'meetings_room_name' })
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('meetings')
}
