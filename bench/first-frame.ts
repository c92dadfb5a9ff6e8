import { enter, type InPage, launch, type Options, someone } from '../test/browsers/pages.ts'
import { freePort } from './support/inbox.ts'
import { quantile, reachable, row, startParley } from './support/parley.ts'

/**
 * How long it takes from entering a room to the first frame of who is there already, in Chromium: with an inbox that is
 * held open, and with one that is asked every half second. The two take turns. Build first.
 */

const rounds = Number(process.env.ROUNDS ?? 8)

const parley = startParley(await freePort(), { RATE_LIMITS: 'off', LOG_LEVEL: 'warn', QUICK_ROOMS: 'on' })
const browser = await launch()
const took = { held: [] as number[], asked: [] as number[] }
try {
  await reachable(`${parley.origin}/health/ready`, parley.process)
  for (let round = 0; round < rounds; round++) {
    took.held.push(await firstFrame(`held-${round}`, {}))
    took.asked.push(await firstFrame(`asked-${round}`, { wait_s: 0 }))
  }
} finally {
  await browser.close()
  parley.process.kill()
}
const [held, asked] = [quantile(took.held, 0.5), quantile(took.asked, 0.5)]
console.log(`${rounds} rounds in turn; medians in ms\n`)
console.log(row('', 'held', 'asked', 'ratio'))
console.log(row('join to first frame', held.toFixed(0), asked.toFixed(0), (held / asked).toFixed(2)))
process.exit(0)

async function firstFrame(room: string, options: Options): Promise<number> {
  const ada = await someone(browser, parley.origin)
  const bob = await someone(browser, parley.origin)
  await enter(ada, room, 'Ada', options)
  await enter(bob, room, 'Bob', options)
  await bob.page.waitForFunction(() => (globalThis as unknown as InPage).firstFrame_ms !== undefined)
  const ms = await bob.page.evaluate(() => (globalThis as unknown as InPage).firstFrame_ms)
  for (const { context } of [ada, bob]) await context.close()
  return ms ?? Number.NaN
}
