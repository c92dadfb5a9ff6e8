import { type Db, writerOf } from '../../src/db/transaction.ts'

/**
 * Hears every statement that goes to the database, from whatever part of the server: Knex tells of its own, but not of
 * those that the inboxes prepare below it. To be called before anything has been sent.
 */
export function hearStatements(db: Db): { fewest(times: number, work: () => Promise<unknown>): Promise<string[]> } {
  let heard: string[] = []
  const wrapped = new WeakSet<object>()

  for (const { client } of new Set([db, writerOf(db)])) {
    const acquire = client.acquireConnection.bind(client)
    client.acquireConnection = async () => {
      const connection = await acquire()
      if (!wrapped.has(connection)) wrap(connection)
      wrapped.add(connection)
      return connection
    }
  }

  function wrap(connection: Connection): void {
    for (const name of ['all', 'run', 'get', 'each', 'exec', 'query', 'execute'] as const) hear(connection, name)
    const { prepare } = connection // SQLite: compiled once, and run from then on without the connection
    if (!prepare || connection.execute) return
    connection.prepare = sql => {
      const statement = prepare.call(connection, sql)
      hear(statement, 'all', sql)
      return statement
    }
  }

  function hear(on: Connection, name: keyof Connection, sql?: string): void {
    const method = on[name] as ((...given: unknown[]) => unknown) | undefined
    if (!method) return
    Object.assign(on, {
      [name](...given: [string | { text?: string; sql?: string }, ...unknown[]]) {
        const [said] = given
        heard.push(sql ?? (typeof said === 'string' ? said : (said.text ?? said.sql ?? '')))
        return method.apply(on, given)
      },
    })
  }

  return {
    /** What it takes, of several times that time with the least: the others had the server's own chores among them. */
    async fewest(times, work) {
      const all: string[][] = []
      for (let i = 0; i < times; i++) {
        heard = []
        await work()
        all.push(heard)
      }
      return all.sort((one, other) => one.length - other.length)[0] ?? []
    },
  }
}

interface Connection {
  all?: unknown
  run?: unknown
  get?: unknown
  each?: unknown
  exec?: unknown
  query?: unknown
  execute?: unknown
  prepare?(sql: string): Connection
}
