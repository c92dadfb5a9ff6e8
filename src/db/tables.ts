import type { Knex } from 'knex'

/**
 * What migrations are written with. A migration may be killed at any point and is then run again from its start.
 * SQLite and Postgres undo what a killed one did. MariaDB does not, so a table is built there under another name and
 * gets its own in one step, once its columns, indexes and constraints are all in place.
 */
export async function createTable(db: Knex, name: string, build: (table: Knex.CreateTableBuilder) => void) {
  if (await db.schema.hasTable(name)) return
  if (db.client.config.client !== 'mysql2') return db.schema.createTable(name, build)

  // Compare text by its bytes, as the other engines do: case, accents and trailing spaces count.
  const [[{ version }]] = await db.raw('SELECT version() AS version')
  const collation = /mariadb/i.test(version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'
  const unfinished = `${name}_unfinished`
  await db.schema.dropTableIfExists(unfinished)
  await db.schema.createTable(unfinished, table => {
    table.charset('utf8mb4')
    table.collate(collation)
    build(table)
  })
  await db.schema.renameTable(unfinished, name)
}

/** The text of an instant, `2026-01-31T09:30:00.000Z`, is always 24 characters. */
export const INSTANT = 24
/** The text of an id, `usr_` and 32 digits; a tenant's may be a word. */
export const ID = 40

/** A text that lists are sorted by: everywhere by its bytes, whatever language the server of the database speaks. */
export function sortableText(db: Knex, table: Knex.CreateTableBuilder, name: string, length: number) {
  const bytewise = db.client.config.client === 'pg'
  return bytewise ? table.specificType(name, `varchar(${length}) COLLATE "C"`) : table.string(name, length)
}
