import type { Browser as Chromium } from 'playwright-core'
import type { Browser as Firefox } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { firefox, launchFirefox, someoneInFirefox } from './firefox.ts'
import {
  browsers,
  enter,
  type InPage,
  isOfChromium,
  isOfFirefox,
  launch,
  type Person,
  seen,
  someone,
  troublesOf,
  untilSees,
  untilTheyMove,
  untilTheyTalk,
} from './pages.ts'
import { startParley } from './server.ts'

let chromium: Chromium
let fox: Firefox
let parley: Awaited<ReturnType<typeof startParley>>

beforeAll(async () => {
  if ('cannot' in browsers() || 'cannot' in firefox()) return
  parley = await startParley()
  chromium = await launch()
  fox = await launchFirefox()
}, 180_000) // its first start writes a whole profile, which takes its time where there is little of it
afterAll(async () => {
  await fox?.close()
  await chromium?.close()
  await parley?.end()
})

describe('Somebody in Firefox and somebody in Chromium', () => {
  it('see, hear and talk to each other when Firefox comes later', async context => {
    const { ada, bob } = await both(context)
    await enter(ada, 'fox-second', 'Ada')
    await enter(bob, 'fox-second', 'Bob')
    await haveACall(ada, bob)
  })

  it('see, hear and talk to each other when Chromium comes later', async context => {
    const { ada, bob } = await both(context)
    await enter(bob, 'fox-first', 'Bob')
    await enter(ada, 'fox-first', 'Ada')
    await haveACall(ada, bob)
  })
})

async function both(context: TestContext) {
  orNotRun(context, browsers())
  orNotRun(context, firefox())
  return { ada: await someone(chromium, parley.origin), bob: await someoneInFirefox(fox, parley.origin) }
}

async function haveACall(ada: Person, bob: Person): Promise<void> {
  await untilSees(ada, 1, isOfFirefox)
  await untilSees(bob, 1, isOfChromium)
  await untilTheyMove([ada, bob])
  await untilTheyTalk([ada, bob])
  await bob.page.evaluate(() => (globalThis as unknown as InPage).call.leave())
  await expect.poll(() => seen(ada)).toEqual([])
  for (const who of [ada, bob]) expect(await troublesOf(who)).toEqual([])
}
