import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import {
  browsers,
  enter,
  type InPage,
  launch,
  type Someone,
  seen,
  someone,
  troublesOf,
  untilSees,
  untilTheyMove,
} from './pages.ts'
import { startParley } from './server.ts'

let browser: Browser
let parley: Awaited<ReturnType<typeof startParley>>
let rooms = 0
const newRoom = () => `room-${++rooms}`

beforeAll(async () => {
  if ('cannot' in browsers()) return
  browser = await launch()
  parley = await startParley()
})
afterAll(async () => {
  await browser?.close()
  await parley?.end()
})

const people = (count: number, at: { origin: string } = parley): Promise<Someone[]> =>
  Promise.all(Array.from({ length: count }, () => someone(browser, at.origin)))

async function untilAllSee(all: Someone[], others: number): Promise<void> {
  for (const who of all) await untilSees(who, others)
}

const close = (all: Someone[]) => Promise.all(all.map(({ context }) => context.close()))

describe('People who enter a room in their browsers', () => {
  it('see and hear each other, write, talk directly, and part', async context => {
    orNotRun(context, browsers())
    const [ada, bob] = (await people(2)) as [Someone, Someone]
    const room = newRoom()
    await enter(ada, room, 'Ada')
    await enter(bob, room, 'Bob')
    await untilAllSee([ada, bob], 1)

    const heard = bob.page.evaluate(
      () =>
        new Promise(resolve => {
          const { call } = globalThis as unknown as InPage
          const got: unknown[] = []
          const keep = (what: unknown) => got.push(what) === 2 && resolve(got)
          call.on('chat', ({ payload }) => keep(payload.text))
          call.on('data', ({ data }) => keep(data))
        }),
    )
    await ada.page.evaluate(async () => {
      const { call } = globalThis as unknown as InPage
      await call.chat('<img src=x onerror=alert(1)>')
      call.say('directly')
    })
    expect(((await heard) as string[]).sort()).toEqual(['<img src=x onerror=alert(1)>', 'directly'])

    await bob.page.evaluate(() => (globalThis as unknown as InPage).call.leave())
    await expect.poll(() => seen(ada)).toEqual([])
    for (const who of [ada, bob]) expect(await troublesOf(who)).toEqual([])
    await close([ada, bob])
  })

  it('are four, and each sees the three others', async context => {
    orNotRun(context, browsers())
    const all = await people(4)
    const room = newRoom()
    await Promise.all(all.map((who, i) => enter(who, room, `Person ${i}`)))
    await untilAllSee(all, 3)
    await close(all)
  })

  it('come back after a reload, and are seen again', async context => {
    orNotRun(context, browsers())
    const [ada, bob] = (await people(2)) as [Someone, Someone]
    const room = newRoom()
    await enter(ada, room, 'Ada')
    await enter(bob, room, 'Bob')
    await untilAllSee([ada, bob], 1)
    await bob.page.reload() // which says goodbye
    await expect.poll(() => seen(ada)).toEqual([])
    await enter(bob, room, 'Bob')
    await untilAllSee([ada, bob], 1)
    await close([ada, bob])
  })

  it('go on when the server dies and comes back: the picture moves, and whoever comes later is seen', async context => {
    orNotRun(context, browsers())
    const mortal = await startParley()
    const [ada, bob, carl] = (await people(3, mortal)) as [Someone, Someone, Someone]
    const room = newRoom()
    await enter(ada, room, 'Ada')
    await enter(bob, room, 'Bob')
    await untilAllSee([ada, bob], 1)
    await mortal.kill()
    await untilTheyMove([ada, bob])
    await mortal.start()
    await enter(carl, room, 'Carl')
    await untilAllSee([ada, bob, carl], 2)
    await close([ada, bob, carl])
  })

  it.each(['stream', 'socket'] as const)(
    'read their inbox by %s, too, and miss nothing when the server comes back',
    async channel => {
      const mortal = await startParley()
      const [ada, bob] = (await people(2, mortal)) as [Someone, Someone]
      const room = newRoom()
      await enter(ada, room, 'Ada', { channel })
      await enter(bob, room, 'Bob', { channel })
      await untilAllSee([ada, bob], 1)
      await bob.page.evaluate(() => {
        const browser = globalThis as unknown as InPage & { texts: string[] }
        browser.texts = []
        browser.call.on('chat', ({ payload }) => browser.texts.push(payload.text))
      })
      const texts = () => bob.page.evaluate(() => (globalThis as unknown as { texts: string[] }).texts)
      const write = (text: string) => ada.page.evaluate(text => (globalThis as unknown as InPage).call.chat(text), text)
      for (const text of ['one', 'two', 'three']) await write(text)
      await expect.poll(texts).toEqual(['one', 'two', 'three'])
      await mortal.kill()
      await mortal.start()
      await write('four')
      await expect.poll(texts).toEqual(['one', 'two', 'three', 'four'])
      await bob.page.evaluate(() => (globalThis as unknown as InPage).call.leave())
      await expect.poll(() => seen(ada)).toEqual([])
      await close([ada, bob])
    },
  )
})
