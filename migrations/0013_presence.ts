import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'meeting_sessions', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('sessions_meeting')
    table.string('live_meeting_id', ID) // the meeting while it is live: unique, so that at most one session is
    table.string('occurrence_at', INSTANT)
    table.string('started_at', INSTANT).notNullable()
    table.string('ended_at', INSTANT)
    table.string('end_reason', 20)
    table.string('empty_until', INSTANT)
    table.string('over_at', INSTANT)
    table.integer('roster_version').notNullable()
    table.unique(['live_meeting_id'], { indexName: 'sessions_live' })
    table.index(['meeting_id', 'started_at'], 'sessions_of_meeting')
    table.index(['ended_at', 'empty_until'], 'sessions_empty')
    table.index(['ended_at', 'over_at'], 'sessions_over')
  })
  await createTable(db, 'attendances', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('attendances_meeting')
    table.string('session_id', ID).notNullable()
    table.string('participant_id', ID).notNullable()
    table.string('display_name', 120).notNullable()
    table.string('role', 20).notNullable()
    table.string('joined_at', INSTANT).notNullable()
    table.string('left_at', INSTANT)
    table.string('end_reason', 20)
    table.string('device', 120)
    table.string('medium', 20).notNullable()
    table.text('quality')
    table.index(['meeting_id', 'joined_at', 'id'], 'attendances_of_meeting')
    table.index(['session_id', 'participant_id'], 'attendances_of_session')
    table.index(['participant_id', 'joined_at', 'id'], 'attendances_of_participant')
  })
  await createTable(db, 'rtc_connections', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table.string('meeting_id', ID).notNullable()
    table.string('session_id', ID).notNullable()
    table.string('participant_id', ID).notNullable()
    table.string('attendance_id', ID).notNullable()
    table.string('resume_token_hash', 64).notNullable()
    table.string('opened_at', INSTANT).notNullable()
    table.string('last_seen_at', INSTANT).notNullable()
    table.string('closed_at', INSTANT)
    table.string('close_reason', 20)
    table.string('replaced_by', ID)
    table.index(['session_id', 'closed_at'], 'connections_of_session')
    table.index(['participant_id', 'closed_at'], 'connections_of_participant')
    table.index(['meeting_id'], 'connections_of_meeting')
    table.index(['closed_at', 'last_seen_at'], 'connections_silent')
  })
}

export async function down(db: Knex) {
  for (const table of ['rtc_connections', 'attendances', 'meeting_sessions']) await db.schema.dropTableIfExists(table)
}
