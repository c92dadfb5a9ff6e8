import knexModule from 'knex'
import { expect, it } from 'vitest'
import { writerConfig } from '../../src/db/engines.ts'
import { whenDone } from '../support/cleanup.ts'
import { createClient } from '../support/client.ts'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'
import { type Held, hold, multiply } from './many.ts'
import { untilHeld } from './people.ts'
import { comeIn, newRoom } from './room.ts'

const count = 1000

/** A process of its own, and the way into its database. */
async function startProcess() {
  const { url, settings, drop } = await emptyDatabase()
  whenDone(drop)
  const port = await freePort()
  const server = startServer(emptyFolder(), { DATABASE_URL: url, PORT: String(port), DEMO: 'off' })
  await server.prints('is listening')
  const origin = `http://127.0.0.1:${port}`
  const document = JSON.parse(await (await fetch(`${origin}/openapi.json`)).text())
  const db = knexModule({ ...writerConfig(settings), pool: { min: 0, max: 1 } })
  whenDone(() => db.destroy())
  return { server, db, origin, anyone: createClient({ origin, document }) }
}

it('on SIGTERM answers a thousand held polls, each with a time of its own to come back, and exits within 5 s', async () => {
  const { server, db, origin, anyone } = await startProcess()
  const bob = await comeIn({ origin, anyone }, newRoom(), 'Bob')
  const ids = await multiply(db, bob.connection, count)
  const polls: Held[] = ids.map(id => hold(origin, bob.token, id))
  await untilHeld({ anyone }, count)

  const started = performance.now()
  server.child.kill('SIGTERM')
  const answers = await Promise.all(polls.map(({ answer }) => answer))
  expect(await server.ended).toEqual({ code: 0, signal: null })
  expect(performance.now() - started).toBeLessThan(5000)

  for (const { status, body } of answers) expect([status, body.signals]).toEqual([200, []])
  const waits = answers.map(({ body }) => body.retry_after_ms ?? 0)
  expect(Math.min(...waits)).toBeGreaterThan(0)
  expect(Math.max(...waits)).toBeLessThan(10_000)
  expect(new Set(waits).size, 'they do not all come back at once').toBeGreaterThan(count / 4)
}, 60_000)
