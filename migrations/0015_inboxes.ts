import type { Knex } from 'knex'
import { addColumn, addIndex, createTable, dropColumn, dropIndex, ID, INSTANT } from '../src/db/tables.ts'

/**
 * A connection is also an inbox and a sender: their counters stand in its row, so that one lock settles everything
 * about it. What one transaction puts into an inbox is one row, a run of signals. Neither these nor the numbered sends have
 * foreign keys or an index but their key: they are written and deleted all day long.
 */
const columns: { [name: string]: (table: Knex.CreateTableBuilder) => void } = {
  user_id: table => table.string('user_id', ID),
  token_family: table => table.string('token_family', 64).notNullable().defaultTo(''),
  previous_token_hash: table => table.string('previous_token_hash', 64),
  ticket_hash: table => table.string('ticket_hash', 64),
  ticket_until: table => table.string('ticket_until', INSTANT),
  role: table => table.string('role', 20).notNullable().defaultTo('participant'),
  may_send: table => table.boolean('may_send').notNullable().defaultTo(true),
  joined_as: table => table.integer('joined_as').notNullable().defaultTo(0),
  revision: table => table.integer('revision').notNullable().defaultTo(0),
  next_seq: table => table.integer('next_seq').notNullable().defaultTo(1),
  acked_through: table => table.integer('acked_through').notNullable().defaultTo(0),
  send_next: table => table.integer('send_next').notNullable().defaultTo(1),
  peers: table => table.text('peers', 'mediumtext'),
}

const indexes: [string[], string][] = [
  [['token_family', 'closed_at'], 'connections_of_login'],
  [['user_id', 'closed_at'], 'connections_of_user'],
]

export async function up(db: Knex) {
  for (const [name, build] of Object.entries(columns)) await addColumn(db, 'rtc_connections', name, build)
  for (const [of, name] of indexes) await addIndex(db, 'rtc_connections', of, name)
  await createTable(db, 'rtc_signals', table => {
    table.string('connection_id', ID).notNullable()
    table.integer('seq').notNullable() // of the first of a run
    table.integer('last_seq').notNullable()
    table.text('states', 'mediumtext') // of those that are not simply to be read, by their seq
    table.text('body', 'mediumtext').notNullable() // a line for each
    table.primary(['connection_id', 'seq'])
  })
  await createTable(db, 'rtc_sends', table => {
    table.string('connection_id', ID).notNullable()
    table.integer('number').notNullable() // the first of a POST
    table.text('outcomes', 'mediumtext').notNullable()
    table.primary(['connection_id', 'number'])
  })
}

export async function down(db: Knex) {
  for (const table of ['rtc_sends', 'rtc_signals']) await db.schema.dropTableIfExists(table)
  for (const [of, name] of indexes) await dropIndex(db, 'rtc_connections', of, name)
  for (const name of Object.keys(columns)) await dropColumn(db, 'rtc_connections', name)
}
