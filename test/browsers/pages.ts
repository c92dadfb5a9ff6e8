import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

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

export interface Someone {
  page: Page
  context: BrowserContext
  errors: string[]
}

/** Somebody before a page of the server, who has a camera. */
export async function someone(browser: Browser, origin: string): Promise<Someone> {
  const context = await browser.newContext({ bypassCSP: true })
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
export async function enter({ page }: Someone, room: string, display_name: string, wait_s?: number): Promise<void> {
  const content = "import * as parley from '/web/parley.js'; globalThis.parley = parley"
  await page.addScriptTag({ type: 'module', content })
  await page.waitForFunction(() => 'parley' in globalThis)
  await page.evaluate(
    async ({ room, display_name, wait_s }) => {
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
      const waiting = wait_s === undefined ? {} : { wait_s }
      browser.call = await browser.parley.enterRoom(room, { display_name, stream, ...waiting })
      browser.call.on('stream', watch)
      browser.call.on('trouble', ({ error }) => browser.troubles.push(String(error)))
    },
    { room, display_name, wait_s },
  )
}

/** Of each peer: how many frames were decoded and audio packets came, and how much green the picture has. */
export const seen = ({ page }: Someone): Promise<Seen[]> =>
  page.evaluate(async () => {
    const browser = globalThis as unknown as InPage
    const all = []
    for (const [connection, peer] of browser.call.peers) {
      const stats: Seen = { connection, state: peer.pc?.connectionState ?? 'none', frames: 0, packets: 0, green: 0 }
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
        let green = 0
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 1] > data[i] + 20 && data[i + 1] > data[i + 2] + 20) green++
        stats.green = green / (64 * 48)
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
}

/** What there is in the page, as far as it is used: the types of a browser would be those of the whole program. */
// biome-ignore lint/suspicious/noExplicitAny: whatever a browser has
type Anything = any

export interface InPage {
  navigator: { mediaDevices: { getUserMedia(wanted: object): Promise<object> } }
  parley: { enterRoom(room: string, options: object): Promise<InPage['call']> }
  document: { createElement(name: string): Anything }
  began: number
  firstFrame_ms: number | undefined
  troubles: string[]
  videos: { [connection: string]: Anything }
  call: {
    connection: { id: string }
    peers: Map<
      string,
      { display_name: string; pc?: { connectionState: string; getStats(): Promise<Map<string, Anything>> } }
    >
    on(event: string, listener: (detail: Anything) => void): void
    chat(text: string): Promise<Anything>
    say(data: string): void
    leave(): Promise<void>
  }
}
