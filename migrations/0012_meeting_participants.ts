import type { Knex } from 'knex'
import { createTable, ID, INSTANT, sortableText } from '../src/db/tables.ts'

/**
 * What a list of my meetings is sorted and searched by stands in my own rows, beside whose they are: so a page is read
 * off one index, and costs the same however many meetings others have.
 */
export async function up(db: Knex) {
  await createTable(db, 'meeting_participants', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('participants_meeting')
    table.string('user_id', ID).references('users.id').withKeyName('participants_user')
    table.string('invitation_id', ID)
    table.string('display_name', 120).notNullable()
    table.string('role', 20).notNullable()
    table.string('may', 20).notNullable()
    table.string('state', 20).notNullable()
    table.boolean('admitted').notNullable()
    table.boolean('shown_out').notNullable()
    table.integer('generation').notNullable()
    table.string('waiting_since', INSTANT)
    table.string('seen_at', INSTANT)
    table.string('denied_until', INSTANT)
    table.string('relation', 20).notNullable()
    sortableText(db, table, 'title_key', 200).notNullable()
    table.string('starts_at', INSTANT).notNullable()
    table.string('over_at', INSTANT).notNullable()
    table.string('meeting_created_at', INSTANT).notNullable()
    table.string('created_at', INSTANT).notNullable()
    table.unique(['meeting_id', 'user_id'], { indexName: 'participants_of_meeting' })
    table.unique(['invitation_id'], { indexName: 'participants_invitation' })
    table.index(['meeting_id', 'state'], 'participants_here')
    table.index(['state', 'seen_at'], 'participants_silent')
    table.index(['relation', 'state', 'created_at'], 'participants_guests')
    table.index(['user_id', 'starts_at', 'meeting_id'], 'participants_by_time')
    table.index(['user_id', 'meeting_created_at', 'meeting_id'], 'participants_by_creation')
    table.index(['user_id', 'title_key', 'meeting_id'], 'participants_by_title')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('meeting_participants')
}
