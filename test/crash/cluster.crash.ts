import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startCluster } from './cluster.ts'
import { gather } from './crowd.ts'
import { createNode, steadyPort } from './node.ts'
import { orNotRun } from './not-run.ts'
import { createWire } from './wire.ts'

const crashes = 5

it(`a server whose Postgres crashes ${crashes} times under it recovers by itself, with all that it answered`, async context => {
  const cluster = orNotRun(context, await startCluster())
  const node = createNode({ DATABASE_URL: cluster.url, port: await steadyPort() })
  await node.start()
  let crashed = 0
  const wire = createWire({
    originOf: () => node.origin,
    again: [503],
    when: () => `after crash ${crashed} of Postgres; the server said:\n${node.output().slice(-2000)}`,
  })
  const crowd = await gather(wire)
  const away_ms: number[] = []
  await crowd.meanwhile(async () => {
    for (let i = 0; i < crashes; i++) {
      const { answered } = crowd.counts()
      while (crowd.counts().answered < answered + 100) await pause(10) // everybody is at it
      await pause(Math.random() * 500)
      await cluster.crash()
      crashed++
      const began = performance.now()
      const before = crowd.counts().answered
      while (crowd.counts().answered === before) await pause(5)
      away_ms.push(Math.round(performance.now() - began))
    }
  })
  await crowd.finish()
  await crowd.expectNothing()
  await cluster.crash()
  await crowd.expectNothing()

  const counts = crowd.counts()
  const { cut, again } = wire.counts
  console.log(`Postgres crashed ${crashes} times; ${JSON.stringify({ ...counts, again, away_ms })}`)
  expect(counts.delivered).toBe(counts.answered)
  expect(cut, 'the server itself was away').toBe(0)
  expect(again, 'nobody noticed that Postgres was away').toBeGreaterThan(0)
  for (const ms of away_ms) expect(ms, 'it was away for long after Postgres was back').toBeLessThan(5000)
})
