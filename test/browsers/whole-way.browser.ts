import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { password } from './accounts.ts'
import { browsers, launch } from './pages.ts'
import { startParley } from './server.ts'
import { type Visitor, visitor } from './visitor.ts'

/** From an account to a call, by the pages alone; then what happens to a call. */

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

/** The page tells nobody of its connections; so they are noted as they are made. */
const script = `
  globalThis.made = []
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...how) {
      super(...how)
      globalThis.made.push(this)
    }
  }`

const visit = (path: string): Promise<Visitor> => visitor(browser, parley.origin, path, { script })
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

async function register(name: string): Promise<Visitor & { email: string }> {
  const somebody = await visit('/sign-in#register')
  const form = somebody.page.locator('#register')
  const email = `${name.toLowerCase()}@example.com`
  await form.getByLabel('Your name').fill(name)
  await form.getByLabel('E-mail address').fill(email)
  await form.getByLabel('Password').fill(password)
  await press(somebody.page, 'Make the account')
  await somebody.page.waitForURL('**/meetings')
  return { ...somebody, email }
}

/** Of all connections that stand: frames and sound that came, and how green the pictures are that are shown. */
const received = (page: Page): Promise<{ frames: number[]; packets: number[]; green: number[] }> =>
  page.evaluate(`(async () => {
    const frames = [], packets = [], green = []
    for (const pc of globalThis.made.filter(pc => pc.connectionState === 'connected')) {
      for (const report of (await pc.getStats()).values()) {
        if (report.type === 'inbound-rtp') (report.kind === 'video' ? frames : packets).push(report.framesDecoded ?? report.packetsReceived)
      }
    }
    for (const video of document.querySelectorAll('#tiles li:not(.me) video')) {
      const canvas = new OffscreenCanvas(32, 32)
      const context = canvas.getContext('2d')
      context.drawImage(video, 0, 0, 32, 32)
      const { data } = context.getImageData(0, 0, 32, 32)
      let count = 0
      for (let i = 0; i < data.length; i += 4) if (data[i + 1] > data[i] + 20 && data[i + 1] > data[i + 2] + 20) count++
      green.push(count / 1024)
    }
    return { frames, packets, green }
  })()`)

/** Each sees so many others move, in the colours of the fake camera, and hears them. */
async function untilAllSee(others: number, ...pages: Page[]): Promise<void> {
  for (const page of pages) {
    await expect
      .poll(() => received(page), { timeout: 40_000, interval: 500 })
      .toSatisfy(
        ({ frames, packets, green }: Awaited<ReturnType<typeof received>>) =>
          frames.filter(count => count > 5).length === others &&
          packets.filter(count => count > 5).length === others &&
          green.filter(share => share > 0.3).length === others,
      )
    const sum = async () => (await received(page)).frames.reduce((all, count) => all + count, 0)
    const before = await sum()
    await expect.poll(sum, { timeout: 20_000 }).toBeGreaterThan(before + 5)
  }
}

it('two people make accounts, one invites, the other accepts, and they see and hear each other; through a reload, a restart of the server and a newcomer', async context => {
  orNotRun(context, browsers())
  const ada = await register('Ada')
  const bob = await register('Bob')
  await ada.page.getByLabel('Title').fill('Tea')
  await press(ada.page, 'Make the meeting')
  await ada.page.waitForURL('**/meeting?id=*')
  await ada.page.getByLabel('Mail addresses').fill(bob.email)
  await press(ada.page, 'Invite')
  await expect.poll(() => ada.page.locator('#people li').textContent()).toContain('Bob')

  await bob.page.reload()
  await bob.page
    .locator('#invitations')
    .getByRole('button', { name: /Accept/ })
    .click()
  await expect.poll(() => bob.page.locator('#notice').textContent()).toContain('You have accepted')
  for (const { page } of [bob, ada]) {
    await page.getByRole('link', { name: /Join/ }).first().click()
    await press(page, 'Enter')
  }
  await untilAllSee(1, ada.page, bob.page)

  await bob.page.reload()
  expect(await bob.page.getByLabel('Your name').inputValue()).toBe('Bob')
  await press(bob.page, 'Enter')
  await untilAllSee(1, ada.page, bob.page)

  await parley.kill()
  const before = await received(ada.page)
  await expect
    .poll(async () => (await received(ada.page)).frames[0], { timeout: 20_000 })
    .toBeGreaterThan((before.frames[0] ?? 0) + 10)
  await expect.poll(() => ada.page.locator('#notice').textContent()).toContain('The call goes on')
  await parley.start()
  await expect.poll(() => ada.page.locator('#notice').textContent(), { timeout: 20_000 }).toBe('')

  await ada.page.evaluate(
    'navigator.clipboard.writeText = text => { globalThis.link = text; return Promise.resolve() }',
  )
  await press(ada.page, 'Copy the link')
  const link = new URL(await ada.page.evaluate<string>('globalThis.link'))
  const carl = await visit(`${link.pathname}${link.search}`)
  await carl.page.getByLabel('Your name').fill('Carl')
  await press(carl.page, 'Enter')
  await press(ada.page, 'Admit Carl')
  await untilAllSee(2, ada.page, bob.page, carl.page)

  // While the server was away, a browser says so of its own accord.
  const away = /^Failed to load resource: net::ERR_CONNECTION_REFUSED|ERR_(EMPTY_RESPONSE|CONNECTION_RESET|INCOMPLETE)/
  for (const { complaints } of [ada, bob, carl]) expect(complaints.filter(text => !away.test(text))).toEqual([])
  for (const { close } of [ada, bob, carl]) await close()
})
