import type { Knex } from 'knex'
import { addColumn, addIndex, dropColumn, dropIndex } from '../src/db/tables.ts'

/**
 * A node that knows an inbox as of some revision reads only what was written since. A row that does not say when it was
 * written is always read. And the guests who never came in are found without looking at all the others.
 */
const always = 2_147_483_647

const guests = ['relation', 'state', 'may', 'admitted', 'created_at']

export async function up(db: Knex) {
  await addColumn(db, 'rtc_signals', 'revision', table => table.integer('revision').notNullable().defaultTo(always))
  await addColumn(db, 'rtc_connections', 'signals_revision', table =>
    table.integer('signals_revision').notNullable().defaultTo(0),
  )
  await addIndex(db, 'meeting_participants', guests, 'participants_forgotten')
}

export async function down(db: Knex) {
  await dropIndex(db, 'meeting_participants', guests, 'participants_forgotten')
  await dropColumn(db, 'rtc_connections', 'signals_revision')
  await dropColumn(db, 'rtc_signals', 'revision')
}
