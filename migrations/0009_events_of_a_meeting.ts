import type { Knex } from 'knex'
import { ID } from '../src/db/tables.ts'

export async function up(db: Knex) {
  if (await db.schema.hasColumn('events', 'meeting_id')) return
  await db.schema.alterTable('events', table => {
    table.string('meeting_id', ID)
  })
}

export async function down(db: Knex) {
  if (!(await db.schema.hasColumn('events', 'meeting_id'))) return
  await db.schema.alterTable('events', table => {
    table.dropColumn('meeting_id')
  })
}
