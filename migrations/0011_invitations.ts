import type { Knex } from 'knex'
import { createTable, ID, INSTANT } from '../src/db/tables.ts'

export async function up(db: Knex) {
  await createTable(db, 'invitations', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('meeting_id', ID)
      .notNullable()
      .references('meetings.id')
      .onDelete('CASCADE')
      .withKeyName('invitations_meeting')
    table.string('user_id', ID).references('users.id').withKeyName('invitations_user')
    table.string('address', 254).notNullable()
    table.string('email', 254)
    table.string('role', 20).notNullable()
    table.string('status', 20).notNullable()
    table.string('message', 1000)
    table.string('note', 1000)
    table.integer('sequence').notNullable()
    table.integer('times_sent').notNullable()
    table.string('link_hash', 64).notNullable()
    table.string('responded_at', INSTANT)
    table.string('created_at', INSTANT).notNullable()
    table.string('updated_at', INSTANT).notNullable()
    table.unique(['meeting_id', 'address'], { indexName: 'invitations_of_meeting' })
    table.unique(['link_hash'], { indexName: 'invitations_link' })
    table.index(['user_id', 'created_at', 'id'], 'invitations_of_user')
    table.index(['tenant_id', 'address'], 'invitations_address')
  })
  await createTable(db, 'proposals', table => {
    table.string('id', ID).primary()
    table.string('tenant_id', ID).notNullable()
    table
      .string('invitation_id', ID)
      .notNullable()
      .references('invitations.id')
      .onDelete('CASCADE')
      .withKeyName('proposals_invitation')
    table.string('meeting_id', ID).notNullable()
    table.integer('sequence').notNullable()
    table.string('scheduled_at', INSTANT).notNullable()
    table.integer('duration_minutes').notNullable()
    table.string('note', 1000)
    table.string('status', 20).notNullable()
    table.string('created_at', INSTANT).notNullable()
    table.string('decided_at', INSTANT)
    table.index(['invitation_id', 'id'], 'proposals_of_invitation')
    table.index(['meeting_id', 'status'], 'proposals_of_meeting')
  })
}

export async function down(db: Knex) {
  await db.schema.dropTableIfExists('proposals')
  await db.schema.dropTableIfExists('invitations')
}
