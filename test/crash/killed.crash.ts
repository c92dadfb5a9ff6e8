import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { gather } from './crowd.ts'
import { onPostgres, onSqlite } from './databases.ts'
import { createNode, steadyPort } from './node.ts'
import { orNotRun } from './not-run.ts'
import { createWire } from './wire.ts'

/** A gate that has twenty minutes for all it looks at kills less often. */
const kills = Number(process.env.KILLS ?? 50)

for (const [engine, place] of [
  ['SQLite', onSqlite],
  ['Postgres', onPostgres],
] as const) {
  it(`a server on ${engine}, killed at ${kills} moments, loses and doubles nothing that it answered`, async context => {
    const { url } = orNotRun(context, await place())
    const node = createNode({ DATABASE_URL: url, port: await steadyPort() })
    await node.start()
    const wire = createWire({ originOf: () => node.origin, when: node.when })
    const crowd = await gather(wire)
    await crowd.meanwhile(async () => {
      for (let i = 0; i < kills; i++) {
        // Mostly when people are at it again, and sometimes while they are coming back.
        if (i % 5 > 0) await wire.isAnswered()
        await pause(Math.random() * (i % 5 > 0 ? 350 : 60))
        await node.kill()
        await node.start()
      }
    })
    await crowd.finish()
    await crowd.expectNothing()
    await node.kill()
    await node.start()
    await crowd.expectNothing()

    const counts = crowd.counts()
    console.log(`${engine}: ${kills} kills; ${JSON.stringify({ ...counts, cut: wire.counts.cut })}`)
    expect(counts.delivered).toBe(counts.answered)
    expect(counts.retried, 'it was hardly ever killed while somebody was sending').toBeGreaterThan(kills / 2)
    expect(counts.answered, 'it was hardly ever used between two kills').toBeGreaterThan(kills * 10)
  })
}
