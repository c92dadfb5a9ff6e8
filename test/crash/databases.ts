import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { whenDone } from '../support/cleanup.ts'
import { emptyFolder } from '../support/process.ts'

/** An empty database on each engine that promises to survive: by its address, or why there is none. */

export interface Place {
  url: string
}

export const onSqlite = async (): Promise<Place> => ({ url: `sqlite:${join(emptyFolder(), 'parley.sqlite')}` })

const server = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'

/** Gone when the test is done, together with whoever is still connected to it. */
export async function onPostgres(): Promise<Place | { cannot: string }> {
  const name = `parley_crash_${randomBytes(6).toString('hex')}`
  try {
    await askPostgres(server, `CREATE DATABASE ${name}`)
  } catch (error) {
    return {
      cannot: `no Postgres answers at ${new URL(server).host} (${error instanceof Error ? error.message : error})`,
    }
  }
  whenDone(() => askPostgres(server, `DROP DATABASE ${name} WITH (FORCE)`))
  return { url: Object.assign(new URL(server), { pathname: `/${name}` }).href }
}

export async function askPostgres<Row extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []) {
  const client = new pg.Client({ connectionString: url, application_name: 'parley test' })
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
