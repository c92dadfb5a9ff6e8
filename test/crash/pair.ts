import type { TestContext } from 'vitest'
import { askPostgres, onPostgres } from './databases.ts'
import { createNode, type Node, steadyPort } from './node.ts'
import { orNotRun } from './not-run.ts'

/** Two processes on one Postgres. */
export async function startPair(context: Pick<TestContext, 'skip'>, searchPathOfSecond?: string) {
  const { url } = orNotRun(context, await onPostgres())
  const first = createNode({ DATABASE_URL: url, port: await steadyPort() })
  await first.start()
  const path = searchPathOfSecond && `?options=${encodeURIComponent(`-c search_path=${searchPathOfSecond}`)}`
  const second = createNode({ DATABASE_URL: `${url}${path ?? ''}`, port: await steadyPort() })
  const nodes: [Node, Node] = [first, second]
  const sql = <Row extends object>(text: string, values?: unknown[]) => askPostgres<Row>(url, text, values)
  return { nodes, sql, output: () => nodes.map(({ output }) => output()).join('') }
}

/** On which connections nodes listen for wake-ups, as soon as there are so many. */
export async function listenersOf({ sql }: Pick<Awaited<ReturnType<typeof startPair>>, 'sql'>, count: number) {
  for (;;) {
    const listening = await sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'parley wakeups' AND query ~ 'LISTEN|pg_notify'`,
    )
    if (listening.length === count) return listening.map(({ pid }) => pid)
  }
}
