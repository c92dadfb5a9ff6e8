import { logIn, quantile, reachable, row, startParley } from './support/parley.ts'

/**
 * What somebody who asks the database notices of twenty logins at once. A password's hash takes a thread that SQLite
 * needs as well, so the two are compared: the wait for a query on a quiet server, and while the hashes are made.
 */

const rounds = Number(process.env.ROUNDS ?? 20)
const server = startParley(3904, { TRUSTED_PROXIES: '127.0.0.1' }) // so that each login comes from elsewhere

try {
  await reachable(`${server.origin}/health/live`, server.process)
  const headers = { Authorization: `Bearer ${await logIn(server.origin)}` }
  const quiet: number[] = []
  const busy: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 20; i++) quiet.push(await timeQuery(headers))
    let running = 20
    const logins = Array.from({ length: running }, (_, i) =>
      logIn(server.origin, `192.0.2.${i}`).finally(() => running--),
    )
    while (running > 0) busy.push(await timeQuery(headers))
    await Promise.all(logins)
  }
  console.log(`${rounds} rounds; GET /api/auth/logins, in ms\n`)
  console.log(row('', 'p50', 'p99', 'max'))
  for (const [name, times] of [['quiet', quiet] as const, ['twenty logins at once', busy] as const]) {
    console.log(row(name, ...[0.5, 0.99, 1].map(q => quantile(times, q).toFixed(1))))
  }
} finally {
  server.process.kill()
}

async function timeQuery(headers: { Authorization: string }): Promise<number> {
  const began = performance.now()
  await (await fetch(`${server.origin}/api/auth/logins?limit=1`, { headers })).text()
  return performance.now() - began
}
