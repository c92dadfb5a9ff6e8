import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

/** Recordings, the parts that have come of those that are uploaded, and the links by which they are passed on. */
export async function up(db: Knex) {
  await createTable(db, 'recordings', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('recordings_meeting')
    table.string('session_id', ID).notNullable()
    table.string('active_session_id', ID) // of one that is active: the column is unique, and so at most one is
    table.string('source', 20).notNullable()
    table.string('status', 20).notNullable()
    table.string('failure', 40)
    table.string('visibility', 20).notNullable()
    table.string('content_type', 120).notNullable()
    table.bigInteger('bytes').notNullable()
    table.string('sha256', 64)
    table.integer('duration_ms')
    table.bigInteger('seekable_bytes')
    table.text('participants', 'mediumtext').notNullable()
    table.string('started_by', ID)
    table.string('started_at', INSTANT).notNullable()
    table.string('ended_at', INSTANT)
    table.string('ready_at', INSTANT)
    table.string('due_at', INSTANT) // when it is settled if nobody has done so until then
    table.integer('attempts').notNullable().defaultTo(0)
    table.unique(['active_session_id'], { indexName: 'recordings_active' })
    table.index(['meeting_id', 'id'], 'recordings_of_meeting')
    table.index(['session_id'], 'recordings_of_session')
    table.index(['tenant_id', 'bytes'], 'recordings_of_tenant')
    table.index(['due_at'], 'recordings_due')
    table.index(['ready_at'], 'recordings_by_age')
  })
  await createTable(db, 'recording_chunks', table => {
    table
      .string('recording_id', ID)
      .notNullable()
      .references('recordings.id')
      .onDelete('CASCADE')
      .withKeyName('chunks_recording')
    table.integer('number').notNullable()
    table.integer('bytes').notNullable()
    table.string('sha256', 64).notNullable()
    table.primary(['recording_id', 'number'])
  })
  await createTable(db, 'recording_links', table => {
    table.string('token_hash', 64).primary()
    table
      .string('recording_id', ID)
      .notNullable()
      .references('recordings.id')
      .onDelete('CASCADE')
      .withKeyName('links_recording')
    table.string('expires_at', INSTANT).notNullable()
    table.index(['recording_id'], 'links_of_recording')
    table.index(['expires_at'], 'links_by_age')
  })
}

export async function down(db: Knex) {
  for (const table of ['recording_links', 'recording_chunks', 'recordings']) await db.schema.dropTableIfExists(table)
}
