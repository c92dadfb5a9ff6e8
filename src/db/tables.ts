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

/** A column of a table that has been merged. An earlier attempt may have got as far as adding it. */
export async function addColumn(
  db: Knex,
  table: string,
  name: string,
  build: (table: Knex.CreateTableBuilder) => void,
): Promise<void> {
  if (!(await db.schema.hasColumn(table, name))) await db.schema.alterTable(table, build)
}

export async function dropColumn(db: Knex, table: string, name: string): Promise<void> {
  if (await db.schema.hasColumn(table, name)) await db.schema.alterTable(table, builder => builder.dropColumn(name))
}

/** An index on a table that has been merged. An earlier attempt may have got as far as making it. */
export async function addIndex(db: Knex, table: string, columns: string[], name: string) {
  await dropIndex(db, table, columns, name)
  await db.schema.alterTable(table, builder => builder.index(columns, name))
}

export async function dropIndex(db: Knex, table: string, columns: string[], name: string) {
  if (await hasIndex(db, table, name)) await db.schema.alterTable(table, builder => builder.dropIndex(columns, name))
}

async function hasIndex(db: Knex, table: string, name: string): Promise<boolean> {
  const asked = {
    sqlite3: "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name = ?",
    pg: 'SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ? AND indexname = ?',
    mysql2:
      'SELECT index_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?',
  }
  const client: keyof typeof asked = db.client.config.client
  const answer = await db.raw(asked[client], [table, name])
  const rows = answer.rows ?? (client === 'mysql2' ? answer[0] : answer)
  return rows.length > 0
}
