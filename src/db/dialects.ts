import type { Client as PgClient } from 'pg'
import type { Database as SqliteConnection, Statement } from 'sqlite3'
import type { Db } from './transaction.ts'

/** How each engine runs a prepared statement, and says the few things that prepared.ts has to say. */

export type Value = string | number | null
export interface Table {
  name: string
  columns: { [name: string]: 'text' | 'int' }
  /** Rises by one in each row that is updated. */
  increment?: string
}

export interface Engine {
  begin: string
  forUpdate: string
  /** Whether an answer can be lost on the way. */
  remote: boolean
  /** Whether statements are sent one behind the other, before the first is answered. */
  pipelined: boolean
  run<Row>(connection: unknown, sql: string, values: Value[]): Promise<Row[]>
  numbered(sql: string): string
  updateMany(table: Table, rows: number): string
  /** Statements that have been written once, by what they do. */
  texts: Map<string, string>
}

function settersOf({ columns, increment, name: table }: Table, given: (name: string, i: number) => string) {
  const names = Object.keys(columns).slice(1)
  const setters = names.map((name, i) => `${name} = ${given(name, i + 1)}`)
  return [...setters, ...(increment ? [`${increment} = ${table}.${increment} + 1`] : [])].join(', ')
}

const keyOf = ({ columns }: Table) => Object.keys(columns)[0] ?? ''

/** Each connection has its own compiled statements, which have to go before it does. */
const compiled = new WeakMap<SqliteConnection, Map<string, Statement>>()

/** A file that still has some is not closed. */
export async function finalizePrepared({ client }: Db): Promise<void> {
  const connection: SqliteConnection = await client.acquireConnection()
  for (const statement of compiled.get(connection)?.values() ?? []) statement.finalize()
  compiled.delete(connection)
  client.releaseConnection(connection)
}

const names = new Map<string, string>()

export const engineOf = ({ client }: Db): Engine => engines[client.config.client as keyof typeof engines]

export const marks = (count: number) => Array(count).fill('?').join(', ')

const engines = {
  sqlite3: {
    begin: 'BEGIN IMMEDIATE', // a transaction that reads first and writes later would fail where another came in between
    forUpdate: '',
    remote: false,
    pipelined: false,
    texts: new Map(),
    run: <Row>(connection: unknown, sql: string, values: Value[]) =>
      new Promise<Row[]>((resolve, reject) => {
        const statements = compiled.get(connection as SqliteConnection) ?? new Map<string, Statement>()
        compiled.set(connection as SqliteConnection, statements)
        const statement = statements.get(sql) ?? (connection as SqliteConnection).prepare(sql)
        statements.set(sql, statement)
        statement.all<Row>(values, (error, rows) => (error ? reject(error) : resolve(rows)))
      }),
    numbered: (sql: string) => sql,
    updateMany(table: Table, rows: number) {
      const tuple = `(${marks(Object.keys(table.columns).length)})`
      const set = settersOf(table, (_, i) => `v.column${i + 1}`)
      const values = Array(rows).fill(tuple).join(', ')
      return `UPDATE ${table.name} SET ${set} FROM (VALUES ${values}) AS v WHERE ${table.name}.${keyOf(table)} = v.column1`
    },
  },
  pg: {
    begin: 'BEGIN',
    forUpdate: ' FOR UPDATE',
    remote: true,
    pipelined: true,
    texts: new Map(),
    async run<Row>(connection: unknown, text: string, values: Value[]) {
      if (values.length === 0) return (await (connection as PgClient).query(text)).rows as Row[]
      const name = names.get(text) ?? `parley_${names.size}`
      names.set(text, name)
      return (await (connection as PgClient).query({ name, text, values })).rows as Row[]
    },
    numbered(sql: string) {
      let number = 0
      return sql.replaceAll('?', () => `$${++number}`)
    },
    updateMany(table: Table, rows: number) {
      const first = `(${Object.values(table.columns).map(type => `?::${type}`)})`
      const others = Array(rows - 1).fill(`(${marks(Object.keys(table.columns).length)})`)
      const set = settersOf(table, name => `v.${name}`)
      const from = `(VALUES ${[first, ...others].join(', ')}) AS v (${Object.keys(table.columns)})`
      return `UPDATE ${table.name} SET ${set} FROM ${from} WHERE ${table.name}.${keyOf(table)} = v.${keyOf(table)}`
    },
  },
  mysql2: {
    begin: 'BEGIN',
    forUpdate: ' FOR UPDATE',
    remote: true,
    pipelined: false,
    texts: new Map(),
    run: <Row>(connection: unknown, sql: string, values: Value[]) =>
      new Promise<Row[]>((resolve, reject) => {
        const done = (error: Error | null, rows: unknown) =>
          error ? reject(error) : resolve(Array.isArray(rows) ? rows : [])
        const mysql = connection as MysqlConnection
        if (values.length === 0) mysql.query(sql, done)
        else mysql.execute(sql, values, done)
      }),
    numbered: (sql: string) => sql,
    updateMany(table: Table, rows: number) {
      const columns = Object.keys(table.columns)
      const first = `SELECT ${columns.map(name => `? AS ${name}`).join(', ')}`
      const others = Array(rows - 1).fill(`SELECT ${marks(columns.length)}`)
      const set = settersOf(table, name => `v.${name}`).replace(/(^|, )/g, `$1${table.name}.`)
      const joined = [first, ...others].join(' UNION ALL ')
      const on = `${table.name}.${keyOf(table)} = v.${keyOf(table)}`
      return `UPDATE ${table.name} JOIN (${joined}) v ON ${on} SET ${set}`
    },
  },
}

interface MysqlConnection {
  query(sql: string, done: (error: Error | null, rows: unknown) => void): void
  execute(sql: string, values: Value[], done: (error: Error | null, rows: unknown) => void): void
}
