import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** People in browsers, each with a profile of their own. */

const executablePath = '/usr/bin/chromium'
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--allow-loopback-in-peer-connection'],
  ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
]

export const browsers = (): { there: true } | { cannot: string } =>
  existsSync(executablePath) ? { there: true } : { cannot: `there is no ${executablePath}` }

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args })

/** A page, whoever drives it: Playwright that of Chromium, Puppeteer that of Firefox. */
export interface Driven {
  evaluate<Told>(work: string | (() => Told)): Promise<Awaited<Told>>
  evaluate<Told, Given>(work: (given: Given) => Told, given: Given): Promise<Awaited<Told>>
}

export interface Person {
  page: Driven
  errors: string[]
}

export interface Someone extends Person {
  page: Page
  context: BrowserContext
}

/** Somebody before a page of the server, who has a camera. */
export async function someone(browser: Browser, origin: string): Promise<Someone> {
  const context = await browser.newContext({ bypassCSP: true })
  await context.addInitScript('globalThis.__name = named => named') // of which tsx leaves calls in what is evaluated
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', error => errors.push(String(error)))
  page.on('request', request => {
    if (!request.url().startsWith(origin)) errors.push(`a request to ${request.url()}`)
  })
  await page.goto(`${origin}/docs`)
  return { page, context, errors }
}

/** They come in; what is to be seen is kept in the page as `call` and `videos`. */
export async function enter(
  { page }: Person,
  room: string,
  display_name: string,
  options: Options = {},
): Promise<void> {
  await page.evaluate("import('/web/parley.js').then(parley => { globalThis.parley = parley })")
  await page.evaluate(
    async ({ room, display_name, options }) => {
      const browser = globalThis as unknown as InPage
      const stream = await browser.navigator.mediaDevices.getUserMedia({ video: { frameRate: 15 }, audio: true })
      browser.began = performance.now()
      browser.firstFrame_ms = undefined
      browser.troubles = []
      browser.videos = {}
      const watch = ({ peer, stream }: { peer: { connection: string }; stream: object }) => {
        const video = browser.videos[peer.connection] ?? browser.document.createElement('video')
        browser.videos[peer.connection] = video
        if (video.srcObject === stream) return // its second track
        Object.assign(video, { srcObject: stream, muted: true, autoplay: true })
        video.requestVideoFrameCallback(() => {
          browser.firstFrame_ms ??= performance.now() - browser.began
        })
        video.play()
      }
      browser.call = await browser.parley.enterRoom(room, { ...options, display_name, stream })
      browser.call.on('stream', watch)
      browser.call.on('trouble', ({ error }) => browser.troubles.push(String(error)))
    },
    { room, display_name, options },
  )
}

/** What `enterRoom` takes besides. */
export interface Options {
  channel?: 'poll' | 'stream' | 'socket'
  wait_s?: number
  ice_transport_policy?: 'all' | 'relay'
}

/** Of each peer: how many frames were decoded and audio packets came, and how much of the picture is green, or not black. */
export const seen = ({ page }: Person): Promise<Seen[]> =>
  page.evaluate(async () => {
    const browser = globalThis as unknown as InPage
    const all = []
    for (const [connection, peer] of browser.call.peers) {
      const state = peer.pc?.connectionState ?? 'none'
      const stats: Seen = { connection, state, frames: 0, packets: 0, green: 0, lit: 0 }
      for (const report of (await peer.pc?.getStats())?.values() ?? []) {
        if (report.type !== 'inbound-rtp') continue
        if (report.kind === 'video') stats.frames = report.framesDecoded ?? 0
        else stats.packets = report.packetsReceived ?? 0
      }
      const video = browser.videos[connection]
      if (video && video.videoWidth > 0) {
        const canvas = browser.document.createElement('canvas')
        Object.assign(canvas, { width: 64, height: 48 })
        const context = canvas.getContext('2d')
        context.drawImage(video, 0, 0, 64, 48)
        const { data } = context.getImageData(0, 0, 64, 48)
        for (let i = 0; i < data.length; i += 4) {
          const [red, green, blue] = data.slice(i, i + 3)
          if (green > red + 20 && green > blue + 20) stats.green += 1 / (64 * 48)
          if (red + green + blue > 90) stats.lit += 1 / (64 * 48)
        }
      }
      all.push(stats)
    }
    return all
  })

export interface Seen {
  connection: string
  state: string
  frames: number
  packets: number
  green: number
  lit: number
}

/** Chromium's fake camera has a green background; Firefox's is one plain colour, ever another. */
export const isOfChromium = ({ green }: Seen) => green > 0.3
export const isOfFirefox = ({ lit }: Seen) => lit > 0.9

/** Until they see so many others move, hear them, and see the picture that is to be seen. */
export async function untilSees(who: Person, others: number, picture = isOfChromium): Promise<void> {
  const isAlive = ({ state, frames, packets }: Seen) => state === 'connected' && frames > 3 && packets > 3
  await expect
    .poll(() => seen(who), { timeout: 30_000, interval: 200 })
    .toSatisfy((all: Seen[]) => all.length === others && all.every(stats => isAlive(stats) && picture(stats)))
}

const framesOf = async (who: Person): Promise<number> => (await seen(who)).reduce((sum, { frames }) => sum + frames, 0)

export async function untilTheyMove(all: Person[]): Promise<void> {
  for (const who of all) {
    const before = await framesOf(who)
    await expect.poll(() => framesOf(who)).toBeGreaterThan(before + 5)
  }
}

/** What went wrong that nobody has thrown. */
export const troublesOf = async ({ page, errors }: Person): Promise<string[]> => [
  ...errors,
  ...(await page.evaluate(() => (globalThis as unknown as InPage).troubles)),
]

/** What is said directly to the one after the other has heard it; each listens before anybody speaks. */
export async function untilTheyTalk(all: [Person, Person]): Promise<void> {
  for (const [speaker, listener] of [all, all.toReversed()] as [Person, Person][]) {
    await listener.page.evaluate(() => {
      const browser = globalThis as unknown as InPage
      browser.heard = []
      browser.call.on('data', ({ data }) => browser.heard.push(data))
    })
    const heard = async () => {
      await speaker.page.evaluate(() => (globalThis as unknown as InPage).call.say('directly'))
      return listener.page.evaluate(() => (globalThis as unknown as InPage).heard)
    }
    await expect.poll(heard).toContain('directly')
  }
}

/** What there is in the page, as far as it is used: the types of a browser would be those of the whole program. */
// biome-ignore lint/suspicious/noExplicitAny: whatever a browser has
type Anything = any

interface PeerConnection {
  connectionState: string
  iceGatheringState: string
  remoteDescription: { sdp: string } | null
  getStats(): Promise<Map<string, Anything>>
}

export interface InPage {
  navigator: { mediaDevices: { getUserMedia(wanted: object): Promise<object> } }
  parley: { enterRoom(room: string, options: object): Promise<InPage['call']> }
  document: { createElement(name: string): Anything }
  began: number
  firstFrame_ms: number | undefined
  troubles: string[]
  heard: string[]
  videos: { [connection: string]: Anything }
  call: {
    connection: { id: string }
    ice_servers: { urls: string[]; username?: string }[]
    peers: Map<string, { display_name: string; pc?: PeerConnection }>
    on(event: string, listener: (detail: Anything) => void): void
    chat(text: string): Promise<Anything>
    say(data: string): void
    leave(): Promise<void>
  }
}
