import { existsSync } from 'node:fs'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Person } from './pages.ts'

/** Firefox, driven by WebDriver BiDi, which it speaks by itself. */

const executablePath = '/usr/bin/firefox-esr'
const extraPrefsFirefox = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
}

export const firefox = (): { there: true } | { cannot: string } =>
  existsSync(executablePath) ? { there: true } : { cannot: `there is no ${executablePath}` }

export const launchFirefox = (): Promise<Browser> =>
  puppeteer.launch({ browser: 'firefox', executablePath, headless: true, timeout: 120_000, extraPrefsFirefox })

/** Somebody before the front page, whose policy stays in force: Firefox cannot be told to look past it. */
export async function someoneInFirefox(browser: Browser, origin: string): Promise<Person & { page: Page }> {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', error => errors.push(String(error)))
  await page.goto(`${origin}/`)
  return { page, errors }
}
