import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'ai_notes', table => {
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('ai_notes_meeting')
    table.integer('version').notNullable()
    table.string('session_id', ID).notNullable()
    table.string('status', 20).notNullable()
    table.string('pending_session_id', ID) // the session while it is pending: unique, so that at most one is
    table.string('engine', 20).notNullable()
    table.boolean('mocked').notNullable()
    table.string('edited_by', ID)
    table.integer('based_on')
    table.integer('attempts').notNullable()
    table.string('next_attempt_at', INSTANT).notNullable()
    table.string('leased_until', INSTANT)
    table.string('reason', 40)
    table.text('contents', 'mediumtext')
    table.text('transcript_text', 'mediumtext')
    table.string('created_at', INSTANT).notNullable()
    table.primary(['meeting_id', 'version'])
    table.unique(['pending_session_id'], { indexName: 'ai_notes_pending' })
    table.index(['status', 'next_attempt_at'], 'ai_notes_due')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('ai_notes')
}
