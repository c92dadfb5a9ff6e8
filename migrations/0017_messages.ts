import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

/** What is said in writing. The number is dense in a session: it is the order, and what a client reads on from. */
export async function up(db: Knex) {
  await createTable(db, 'messages', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('messages_meeting')
    table.string('session_id', ID).notNullable()
    table.integer('number').notNullable()
    table.string('participant_id', ID).notNullable()
    table.string('display_name', 120).notNullable()
    table.text('text').notNullable()
    table.string('sent_at', INSTANT).notNullable()
    table.unique(['session_id', 'number'], { indexName: 'messages_of_session' })
    table.index(['meeting_id'], 'messages_of_meeting')
  })
}

export const down = (db: Knex) => db.schema.dropTableIfExists('messages')
