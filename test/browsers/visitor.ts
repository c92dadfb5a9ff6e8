import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Somebody before a page, under its own policy. What a browser complains of is kept, and so is who it calls. */

export interface Visitor {
  page: Page
  complaints: string[]
  close(): Promise<void>
}

export async function visitor(
  browser: Browser,
  origin: string,
  path: string,
  options: BrowserContextOptions & { script?: string } = {},
): Promise<Visitor> {
  const { script, ...rest } = options
  const context = await browser.newContext(rest)
  if (script) await context.addInitScript(script)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error)))
  page.on(
    'console',
    message => message.type() === 'error' && complaints.push(`${message.text()} ${message.location().url}`),
  )
  page.on('request', request => {
    const url = request.url()
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) complaints.push(`a request to ${url}`)
  })
  await page.goto(origin + path)
  return { page, complaints, close: () => context.close() }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What keeps somebody from using the page as it stands: what axe calls serious or critical. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
  }
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

/** So much of the page is beyond the edge of the window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - innerWidth')

/** Until it says so. */
export const untilItSays = (what: Locator, text: string): Promise<void> =>
  expect.poll(() => what.textContent(), { timeout: 15_000 }).toContain(text)
