import pg from 'pg'
import { type Db, writerOf } from '../db/transaction.ts'
import { newSecret } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Wakeups } from './local.ts'

interface Deps {
  url: string
  db: Db
  wakeups: Wakeups
  log: Log
}

const channel = 'parley'
/** Of a payload's 8000 bytes. */
const longestPayload = 7000
const pause_ms = 1000

/** For Postgres, a bell is a transaction as any other, and would wait for the disk; one that is lost harms nobody. */
const unflushed = '-c synchronous_commit=off'

/**
 * Carries what is rung on one node to every other on the same database, by LISTEN and NOTIFY: one connection to listen
 * and to tell on, and one statement for all that was rung in the same moment. A bell that is lost on the way costs the
 * second until the waiter looks again by itself, so nothing here is waited for, and nothing is tried twice.
 */
export function relayThroughPostgres({ url, db, wakeups, log }: Deps) {
  const node = newSecret()
  const rung = new Set<string>()
  let client: pg.Client | undefined
  let listens = false
  let telling = false
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  wakeups.onNotify(topic => {
    rung.add(topic)
    if (!telling) tellOthers()
  })

  /** What is rung while the others are told goes with the next word to them. */
  async function tellOthers(): Promise<void> {
    telling = true
    await new Promise(setImmediate)
    try {
      while (rung.size > 0) {
        const payloads = packed(node, [...rung])
        rung.clear()
        for (const payload of payloads) await tell(payload)
      }
    } catch (error) {
      log.warn({ err: error }, 'other nodes were not woken; they look by themselves')
    } finally {
      telling = false
    }
  }

  async function tell(payload: string): Promise<void> {
    const values = [channel, payload]
    if (client && listens) await client.query({ name: 'tell', text: 'SELECT pg_notify($1, $2)', values })
    else await writerOf(db).raw('SELECT pg_notify(?, ?)', values)
  }

  async function connect(): Promise<void> {
    const named = { application_name: 'parley wakeups', options: unflushed, keepAlive: true, query_timeout: 5_000 }
    const next = new pg.Client({ connectionString: url, ...named })
    client = next
    next.on('notification', ({ payload = '' }) => hear(payload))
    next.on('error', error => log.warn({ err: error }, 'the connection for wake-ups broke; it is made again'))
    next.once('end', again)
    try {
      await next.connect()
      await next.query(`LISTEN ${channel}`)
      listens = true
      wakeups.wakeAll() // nobody knows what was rung while nobody listened
    } catch (error) {
      log.warn({ err: error }, 'no connection for wake-ups; it is tried again')
      await next.end().catch(again) // where there was none, none ends
    }
  }

  function again(): void {
    listens = false
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(connect, pause_ms)
  }

  function hear(payload: string): void {
    const [from, ...topics]: string[] = JSON.parse(payload)
    if (from === node) return
    for (const topic of topics) wakeups.wake(topic)
  }

  return {
    /** Once it listens, or has found that it cannot yet. */
    ready: connect(),

    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await client?.end()
    },
  }
}

/** As few payloads as it takes, each with who rang and what. */
export function packed(node: string, topics: string[]): string[] {
  const payloads: string[] = []
  let batch: string[] = []
  let bytes = 0
  for (const topic of topics) {
    const size = Buffer.byteLength(topic) + 3
    if (bytes + size > longestPayload && batch.length > 0) {
      payloads.push(JSON.stringify([node, ...batch]))
      batch = []
      bytes = 0
    }
    batch.push(topic)
    bytes += size
  }
  if (batch.length > 0) payloads.push(JSON.stringify([node, ...batch]))
  return payloads
}
