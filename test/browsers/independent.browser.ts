import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { enterIndependently, type Independent } from './independent.ts'
import { browsers, enter, type InPage, launch, type Person, seen, someone, troublesOf } from './pages.ts'
import { startParley } from './server.ts'

let browser: Browser
let parley: Awaited<ReturnType<typeof startParley>>

beforeAll(async () => {
  if ('cannot' in browsers()) return
  browser = await launch()
  parley = await startParley()
})
afterAll(async () => {
  await browser?.close()
  await parley?.end()
})

describe('A client that knows the contract alone', () => {
  it('offers when it comes later, and talks with somebody in a browser', async context => {
    orNotRun(context, browsers())
    const ada = await someone(browser, parley.origin)
    await enter(ada, 'there-first', 'Ada')
    await listen(ada)
    const client = await enterIndependently(parley.origin, 'there-first', 'Ivy')
    await untilTheyTalk(ada, client)
    await part(ada, client)
  })

  it('answers when it was there, and talks with somebody in a browser', async context => {
    orNotRun(context, browsers())
    const ada = await someone(browser, parley.origin)
    const client = await enterIndependently(parley.origin, 'there-second', 'Ivy')
    await enter(ada, 'there-second', 'Ada')
    await listen(ada)
    await untilTheyTalk(ada, client)
    await part(ada, client)
  })
})

const listen = ({ page }: Person) =>
  page.evaluate(() => {
    const browser = globalThis as unknown as InPage
    browser.heard = []
    browser.call.on('data', ({ data }) => browser.heard.push(data))
  })

async function untilTheyTalk(ada: Person, client: Independent): Promise<void> {
  const heardByAda = () => ada.page.evaluate(() => (globalThis as unknown as InPage).heard)
  const heardFromAda = async () => {
    await ada.page.evaluate(() => (globalThis as unknown as InPage).call.say('from the browser'))
    return client.heard
  }
  await expect.poll(heardFromAda).toContain('from the browser')
  client.say('from outside')
  await expect.poll(heardByAda).toEqual(['from outside'])
  expect((await seen(ada)).map(({ state }) => state)).toEqual(['connected'])
  expect(client.found).not.toEqual([])
  expect(new Set(await candidatesIn(ada))).toEqual(new Set(client.found.map(addressIn)))
}

/** The client goes, and the page is told; nothing went wrong on either side. */
async function part(ada: Person, client: Independent): Promise<void> {
  await client.leave()
  await expect.poll(() => seen(ada)).toEqual([])
  expect(await troublesOf(ada)).toEqual([])
}

/** Where the page may reach the other: each candidate has come to where it is used. */
const candidatesIn = async ({ page }: Person): Promise<string[]> => {
  const sdp = await page.evaluate(() => {
    const [peer] = (globalThis as unknown as InPage).call.peers.values()
    return peer?.pc?.remoteDescription?.sdp ?? ''
  })
  return [...sdp.matchAll(/candidate:.+/g)].map(([line]) => addressIn(line))
}

const addressIn = (candidate: string): string => candidate.split(' ').slice(4, 6).join(' ')
