import { type Engine, engineOf, marks, type Table, type Value } from './dialects.ts'
import { isRefusal } from './errors.ts'
import { type Db, writerOf } from './transaction.ts'

/**
 * A transaction on prepared statements over many rows at once, for the one place where the cost of Knex shows: the
 * inboxes. It says the few things that they need, and nothing else; in the words of each engine, which dialects.ts has.
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

type Run = <Row>(sql: string, values: Value[]) => Promise<Row[]>

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
      await sent[0] // the BEGIN
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
          worded(`lock ${table} ${columns} ${part.length}`, () => {
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
        const sql = worded(`insert ${name} ${part.length}`, () => {
          const tuples = Array.from({ length: part.length }, () => `(${marks(width)})`).join(', ')
          return engine.numbered(`INSERT INTO ${name} (${Object.keys(columns).join(', ')}) VALUES ${tuples}`)
        })
        await send(sql, part.flat())
      }
    },

    async update(table, rows) {
      await inParts(rows, part =>
        send(
          worded(`update ${table.name} ${Object.keys(table.columns)} ${part.length}`, () =>
            engine.numbered(engine.updateMany(table, part.length)),
          ),
          part.flat(),
        ),
      )
    },

    async each(sql, keys) {
      await inParts(keys, part =>
        send(
          worded(`each ${sql('')} ${part.length}`, () => engine.numbered(sql(marks(part.length)))),
          part,
        ),
      )
    },

    query: (sql, values) =>
      ask(
        worded(sql, () => engine.numbered(sql)),
        values,
      ),

    async write(sql, values) {
      await send(
        worded(sql, () => engine.numbered(sql)),
        values,
      )
    },
  }

  function worded(what: string, write: () => string): string {
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
