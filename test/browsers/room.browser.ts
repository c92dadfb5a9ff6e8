import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { browsers, launch } from './pages.ts'
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
  await parley?.kill()
})

/** Somebody on the page, under its own policy; what a browser complains of is kept. */
async function visit(query: string, options: object = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
  page.on('request', request => {
    const url = request.url()
    if (!url.startsWith(parley.origin) && !url.startsWith('data:')) complaints.push(`a request to ${url}`)
  })
  await page.goto(`${parley.origin}/${query}`)
  return { page, complaints }
}

const tiles = (page: Page) => page.locator('#tiles li')
const enter = (page: Page) => page.getByRole('button', { name: 'Enter' }).click()

describe('The page of quick rooms', () => {
  it('lets two people see each other, write, and leave', async context => {
    orNotRun(context, browsers())
    const ada = await visit('?room=tea&name=Ada')
    const bob = await visit('')
    await enter(ada.page)
    await bob.page.getByLabel('Your name').fill('<b>Bob</b>')
    await bob.page.getByLabel('Room').fill('Tea')
    await enter(bob.page)
    for (const { page } of [ada, bob]) {
      await expect.poll(() => tiles(page).count()).toBe(2)
      await expect.poll(() => page.locator('#tiles .state:not([hidden])').count(), { timeout: 20_000 }).toBe(0)
      const moves = async () => {
        const time = () =>
          page.locator('#tiles li:not(.me) video').evaluate(video => Number(Reflect.get(video, 'currentTime')))
        const before = await time()
        await expect.poll(time, { timeout: 10_000 }).toBeGreaterThan(before)
      }
      await moves()
    }
    expect(await ada.page.locator('#tiles li:not(.me) .name').textContent()).toBe('<b>Bob</b>')
    expect(await ada.page.locator('#badge').textContent()).toBe('tea')

    await bob.page.getByLabel('Write a message').fill('<img src=x onerror=alert(1)>')
    await bob.page.getByRole('button', { name: 'Send' }).click()
    await expect
      .poll(() => ada.page.locator('#messages li').allTextContents())
      .toEqual(['<b>Bob</b><img src=x onerror=alert(1)>'])
    expect(await ada.page.locator('#messages img').count()).toBe(0)

    await bob.page.getByRole('button', { name: 'Leave' }).click()
    await expect.poll(() => tiles(ada.page).count()).toBe(1)
    expect(await bob.page.locator('#notice').textContent()).toBe('You have left.')
    expect([...ada.complaints, ...bob.complaints]).toEqual([])
    await Promise.all([ada, bob].map(({ page }) => page.context().close()))
  })

  it.each([
    [390, 844],
    [1440, 900],
  ])('fits a window of %i by %i, before and inside, in both themes', async (width, height) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await visit('?room=fits&name=Ada', { viewport: { width, height }, colorScheme })
      const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(await overflow()).toBeLessThanOrEqual(0)
      await enter(page)
      await expect.poll(() => tiles(page).count()).toBe(1)
      expect(await overflow()).toBeLessThanOrEqual(0)
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/room-${width}-${colorScheme}.png` })
      expect(complaints).toEqual([])
      await page.context().close()
    }
  })

  it('says what to do when there is no camera', async context => {
    orNotRun(context, browsers())
    const page = await (await browser.newContext()).newPage()
    await page.addInitScript(
      "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))",
    )
    await page.goto(`${parley.origin}/?room=blind&name=Ada`)
    await expect.poll(() => page.locator('#notice').textContent()).toContain('Allow it beside the address')
    await enter(page)
    await expect.poll(() => tiles(page).count()).toBe(1)
    await page.context().close()
  })
})
