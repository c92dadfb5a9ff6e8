import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, it } from 'vitest'
import { emptyFolder } from '../support/process.ts'
import { onSqlite } from './databases.ts'
import { holdMeeting } from './host.ts'
import { createNode, steadyPort } from './node.ts'
import { orNotRun } from './not-run.ts'

const executablePath = '/usr/bin/chromium'
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
  ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
]

function tools(): { there: true } | { cannot: string } {
  if (!existsSync(executablePath)) return { cannot: 'there is no Chromium' }
  if (spawnSync('ffprobe', ['-version']).status !== 0) return { cannot: 'there is no ffmpeg' }
  return { there: true }
}

it('what a browser records and uploads in slices can be played, and its copy tells how long it is', async context => {
  orNotRun(context, tools())
  const node = createNode({ DATABASE_URL: (await onSqlite()).url, port: await steadyPort() })
  await node.start()
  const { recording, authorization, call, download } = await holdMeeting(node.origin)
  const browser = await chromium.launch({ executablePath, args })
  try {
    const page = await (await browser.newContext({ bypassCSP: true })).newPage()
    await page.goto(`${node.origin}/docs`)
    const slices = await page.evaluate(recordFor, { recording, authorization, ms: 4000 })
    expect(slices.statuses).toEqual(slices.statuses.map(() => 204))
    expect(slices.statuses.length).toBeGreaterThan(5)
    expect(slices.stopped).toMatchObject({ status: 'ready' })
  } finally {
    await browser.close()
  }
  const { body } = await call('GET', `/api/recordings/${recording}`)
  expect(body.duration_s).toBeGreaterThan(3)
  expect(body.duration_s).toBeLessThan(8)
  expect(body.seekable_bytes).toBeGreaterThan(10_000)

  const original = join(emptyFolder(), 'original.webm')
  writeFileSync(original, Buffer.from(await (await download()).arrayBuffer()))
  const url = `${node.origin}/api/recordings/${recording}/download?copy=seekable`
  const seekable = join(emptyFolder(), 'seekable.webm')
  writeFileSync(seekable, Buffer.from(await (await fetch(url, { headers: authorization })).arrayBuffer()))
  const [played, copied] = [probe(original), probe(seekable)]
  expect(played.streams.map(({ codec_type }) => codec_type).sort()).toEqual(['audio', 'video'])
  // How many pictures there are is up to how busy the machine is; that the copy has all of them is not.
  for (const { nb_read_frames } of played.streams) expect(Number(nb_read_frames)).toBeGreaterThan(5)
  expect(framesOf(copied)).toEqual(framesOf(played))
  expect(Number(copied.format.duration)).toBeCloseTo(body.duration_s, 1)
  await node.kill()
})

interface Probed {
  streams: { codec_type: string; nb_read_frames: string }[]
  format: { duration?: string }
}

const probe = (path: string): Probed =>
  JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path], {
      encoding: 'utf8',
    }),
  )

const framesOf = ({ streams }: Probed) => streams.map(({ codec_type, nb_read_frames }) => [codec_type, nb_read_frames])

interface Order {
  recording: string
  authorization: { [name: string]: string }
  ms: number
}

/** What the page has, as far as it is used: the types of a browser would be those of the whole program. */
declare const navigator: { mediaDevices: { getUserMedia(wanted: object): Promise<object> } }
declare class MediaRecorder {
  constructor(stream: object, options: object)
  ondataavailable: (event: { data: Blob }) => void
  onstop: (event: unknown) => void
  start(slice_ms: number): void
  stop(): void
}

/** In the page: each slice is sent as soon as it is there, one after the other. */
async function recordFor({ recording, authorization, ms }: Order) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { frameRate: 15 }, audio: true })
  const recorder = new MediaRecorder(stream, { mimeType: 'video/webm;codecs=vp8,opus' })
  const statuses: number[] = []
  let sending = Promise.resolve()
  let slices = 0
  recorder.ondataavailable = ({ data }) => {
    const number = slices++
    sending = sending.then(async () => {
      const path = `/api/recordings/${recording}/chunks/${number}`
      statuses.push((await fetch(path, { method: 'PUT', headers: authorization, body: data })).status)
    })
  }
  recorder.start(500)
  await new Promise(resolve => setTimeout(resolve, ms))
  const ended = new Promise(resolve => {
    recorder.onstop = resolve
  })
  recorder.stop()
  await ended
  await sending
  const reply = await fetch(`/api/recordings/${recording}/stop`, {
    method: 'POST',
    headers: { ...authorization, 'Content-Type': 'application/json' },
    body: JSON.stringify({ chunks: slices }),
  })
  return { statuses, stopped: await reply.json() }
}
