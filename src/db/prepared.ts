import type { Client as PgClient } from 'pg'
import type { Database as SqliteConnection, Statement } from 'sqlite3'
import { isRefusal } from './errors.ts'
import { type Db, writerOf } from './transaction.ts'

/**
 * A transaction on prepared statements over many rows at once, for the one place where the cost of Knex shows: the
 * inboxes. It says in each engine's words the few things that they need, and nothing else.
 */
export interface Batch {
  /** The rows of these ids, in their order, and nobody changes them until the end of the transaction. */
  lock<Row>(table: string, columns: readonly string[], ids: string[]): Promise<Row[]>
  insert(table: Table, rows: Value[][]): Promise<void>
  /** The first column is the key; the row takes all the others. */
  update(table: Table, rows: Value[][]): Promise<void>
  /** One statement about many keys, which are written where it wants them. */
  each(sql: (marks: string) => string, keys: string[]): Promise<void>
  /** Anything else that is asked, or written; `?` stands for a value. */
  query<Row>(sql: string, values: Value[]): Promise<Row[]>
  write(sql: string, values: Value[]): Promise<void>
}

export type Value = string | number | null
export interface Table {
  name: string
  columns: { [name: string]: 'text' | 'int' }
  /** Rises by one in each row that is updated. */
  increment?: string
}

/** The engine did not say whether the commit took place: it may have. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown'
}

/** A statement of more rows is one that is compiled for longer and is used less often again. */
const most = 100

/** Runs `work` once: what is to be done about a conflict is for the caller to say. */
export async function inBatch<Result>(db: Db, work: (batch: Batch) => Promise<Result>): Promise<Result> {
  const { client } = writerOf(db)
  const connection = await client.acquireConnection()
  const engine = engineOf(writerOf(db))
  const run: Run = (sql, values) => engine.run(connection, sql, values)
  const line = engine.pipelined ? pipelineOf(run) : { ask: run, send: run, sent: [] }
  try {
    await line.send(engine.begin, [])
    const result = await work(batchOn(engine, line))
    await commit(engine, run, line.sent)
    return result
  } catch (error) {
    // A connection on which not even this goes through is no good any more; the pool makes another.
    await run('ROLLBACK', []).catch(() => Object.assign(connection, { __knex__disposed: error }))
    throw error
  } finally {
    client.releaseConnection(connection)
  }
}

/** How statements go to the engine: those that ask, and those that only write. */
interface Line {
  ask: Run
  send: Run
  /** What has been sent, and is answered some time. */
  sent: Promise<unknown>[]
}

/**
 * Where a statement may follow another before that is answered, what only writes is not waited for: the commit tells what
 * became of it. But nothing is written before it is sure that the transaction has begun, for outside of one each
 * statement would be a transaction of its own; and what is asked after a failure would hide why.
 */
function pipelineOf(run: Run): Line {
  const sent: Promise<unknown>[] = []
  return {
    sent,
    async ask(sql, values) {
      const [answer, ...before] = await Promise.allSettled([run(sql, values), ...sent])
      throwFirst(before)
      if (answer.status === 'rejected') throw answer.reason
      return answer.value as never[]
    },
    async send(sql, values) {
      if (sent.length === 1) await sent[0]
      const answer = run(sql, values)
      answer.catch(() => {}) // told by the commit
      sent.push(answer)
      return []
    },
  }
}

async function commit({ remote }: Engine, run: Run, sent: Promise<unknown>[]): Promise<void> {
  const [committed, ...before] = await Promise.allSettled([run('COMMIT', []), ...sent])
  if (committed.status === 'rejected') {
    throw remote && !isRefusal(committed.reason) ? new CommitUnknown() : committed.reason
  }
  // Of a transaction in which something failed, the commit is a rollback.
  throwFirst(before)
}

function throwFirst(outcomes: PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** The same as part of a transaction that is under way. */
export async function batchWithin(db: Db): Promise<Batch> {
  const engine = engineOf(db)
  const connection = await db.client.acquireConnection()
  const run: Run = (sql, values) => engine.run(connection, sql, values)
  return batchOn(engine, { ask: run, send: run })
}

const engineOf = ({ client }: Db): Engine => engines[client.config.client as keyof typeof engines]

function batchOn(engine: Engine, { ask, send }: Pick<Line, 'ask' | 'send'>): Batch {
  /** Statements of a few sizes only, so that each is prepared once: the last row is said again, which changes nothing. */
  async function inParts<Item, Row>(items: Item[], work: (part: Item[]) => Promise<Row[]>): Promise<Row[]> {
    const found: Row[] = []
    for (let i = 0; i < items.length; i += most) found.push(...(await work(padded(items.slice(i, i + most)))))
    return found
  }

  return {
    lock: (table, columns, ids) =>
      inParts([...new Set(ids)].sort(), part =>
        ask(
          once(`lock ${table} ${columns} ${part.length}`, () => {
            const from = `SELECT ${columns.join(', ')} FROM ${table} WHERE id IN (${marks(part.length)}) ORDER BY id`
            return engine.numbered(`${from}${engine.forUpdate}`)
          }),
          part,
        ),
      ),

    async insert({ name, columns }, rows) {
      const width = Object.keys(columns).length
      for (let i = 0; i < rows.length; i += most) {
        const part = rows.slice(i, i + most)
        const sql = once(`insert ${name} ${part.length}`, () => {
          const tuples = Array.from({ length: part.length }, () => `(${marks(width)})`).join(', ')
          return engine.numbered(`INSERT INTO ${name} (${Object.keys(columns).join(', ')}) VALUES ${tuples}`)
        })
        await send(sql, part.flat())
      }
    },

    async update(table, rows) {
      await inParts(rows, part =>
        send(
          once(`update ${table.name} ${Object.keys(table.columns)} ${part.length}`, () =>
            engine.numbered(engine.updateMany(table, part.length)),
          ),
          part.flat(),
        ),
      )
    },

    async each(sql, keys) {
      await inParts(keys, part =>
        send(
          once(`each ${sql('')} ${part.length}`, () => engine.numbered(sql(marks(part.length)))),
          part,
        ),
      )
    },

    query: (sql, values) =>
      ask(
        once(sql, () => engine.numbered(sql)),
        values,
      ),

    async write(sql, values) {
      await send(
        once(sql, () => engine.numbered(sql)),
        values,
      )
    },
  }

  function once(what: string, write: () => string): string {
    const known = engine.texts.get(what) ?? write()
    if (!engine.texts.has(what)) engine.texts.set(what, known)
    return known
  }
}

function padded<Item>(items: Item[]): Item[] {
  const last = items.at(-1)
  if (last === undefined || items.length === 1) return items
  const length = Math.min(most, Math.ceil(items.length / 4) * 4)
  return [...items, ...Array<Item>(length - items.length).fill(last)]
}

const marks = (count: number) => Array(count).fill('?').join(', ')

type Run = <Row>(sql: string, values: Value[]) => Promise<Row[]>

interface Engine {
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
