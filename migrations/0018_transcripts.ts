import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

/** What was said aloud, as captioners heard it. The digest makes one segment of one that is told twice. */
export async function up(db: Knex) {
  await createTable(db, 'transcript_segments', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('segments_meeting')
    table.string('session_id', ID).notNullable()
    table.string('digest', 43).notNullable()
    table.string('participant_id', ID)
    table.string('speaker', 120).notNullable()
    table.integer('start_ms').notNullable()
    table.integer('end_ms').notNullable()
    table.text('text').notNullable()
    table.string('added_by', ID).notNullable()
    table.string('added_at', INSTANT).notNullable()
    table.unique(['session_id', 'digest'], { indexName: 'segments_once' })
    table.index(['session_id', 'start_ms', 'end_ms', 'id'], 'segments_in_order')
    table.index(['meeting_id'], 'segments_of_meeting')
  })
}

export const down = (db: Knex) => db.schema.dropTableIfExists('transcript_segments')
