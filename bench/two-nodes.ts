import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { emptyDatabase, engine } from '../test/support/database.ts'
import { enterRoom, freePort, type Person, signalTo } from './support/inbox.ts'
import { quantile, reachable, row, startParley } from './support/parley.ts'

/**
 * What it costs that the two of a pair are at two nodes: negotiations over two processes on one Postgres, once with both
 * of a pair at the same node, and once across, beside the same negotiations over a single process on a database of its
 * own. The rounds are interleaved; only the ratios mean anything. It needs TEST_DATABASE_URL, of a Postgres. Build first.
 */

const rounds = Number(process.env.ROUNDS ?? 5)
const seconds = Number(process.env.SECONDS ?? 4)
const couples = Number(process.env.PAIRS ?? 20)
const candidates = 10

interface Peer {
  person: Person
  partner: string
  heard: number
  /** Resolve when so many have been heard. */
  waiting: { until: number; resolve(): void }[]
}

/** What is compared. */
interface Setting {
  name: string
  pids: number[]
  database: string
  pairs: [Peer, Peer][]
  /** One value a round. */
  perSecond: number[]
  cpu_us: number[]
  backend_us: number[]
  busy_ms: number[]
  calm_ms: number[]
}

if (engine !== 'postgres') throw new Error('Two nodes share a Postgres: set TEST_DATABASE_URL')

/** When it was sent, by its number; and how long those took that have come, since it was last emptied. */
const sentAt = new Map<number, number>()
let sent = 0
let took_ms: number[] = []
let stopping = false

const alone = await emptyDatabase()
const common = await emptyDatabase()
const admin = new pg.Client(process.env.TEST_DATABASE_URL)
await admin.connect()
const nodes: ReturnType<typeof startParley>[] = []
try {
  const single = [await startNode(alone.url)]
  const double = [await startNode(common.url), await startNode(common.url)]
  const settings = [
    await prepare('one node', alone.url, single, () => [0, 0]),
    await prepare('inside', common.url, double, i => [i % 2, i % 2]),
    await prepare('across', common.url, double, i => [i % 2, 1 - (i % 2)]),
  ]
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < settings.length; i++) {
      const setting = settings[(i + Math.max(round, 0)) % settings.length] // each goes first in turn
      if (setting) await measure(setting, round >= 0)
    }
  }
  print(settings)
} finally {
  stopping = true
  for (const { process } of nodes) process.kill()
  await admin.end()
  for (const { drop } of [alone, common]) await drop()
}
process.exit(0)

async function startNode(url: string) {
  const settings = { DATABASE_URL: url, RATE_LIMITS: 'off', LOG_LEVEL: 'warn', DEMO: 'off', QUICK_ROOMS: 'on' }
  const node = startParley(await freePort(), settings)
  nodes.push(node)
  await reachable(`${node.origin}/health/ready`, node.process)
  return node
}

async function prepare(
  name: string,
  url: string,
  nodes: ReturnType<typeof startParley>[],
  placeOf: (i: number) => [number, number],
): Promise<Setting> {
  const pairs: [Peer, Peer][] = []
  for (let i = 0; i < couples; i++) {
    const room = `${name.replaceAll(/[^a-z]/g, '')}-${i}`
    const people: Person[] = []
    for (const place of placeOf(i)) people.push(await enterRoom(nodes[place]?.origin ?? '', room, 'Ada'))
    const [a, b] = people
    if (!a || !b) throw new Error('A pair has two')
    const pair: [Peer, Peer] = [
      { person: a, partner: b.id, heard: 0, waiting: [] },
      { person: b, partner: a.id, heard: 0, waiting: [] },
    ]
    for (const peer of pair) listen(peer)
    pairs.push(pair)
  }
  const pids = nodes.map(({ process }) => process.pid ?? 0)
  const database = new URL(url).pathname.slice(1)
  return { name, pids, database, pairs, perSecond: [], cpu_us: [], backend_us: [], busy_ms: [], calm_ms: [] }
}

/** Always a poll, which carries the acknowledgement of what the one before it brought. */
async function listen(peer: Peer): Promise<void> {
  let cursor = 0
  while (!stopping) {
    const text = await peer.person.poll(`wait=25&limit=100&after=${cursor}&ack=${cursor}`).catch(error => {
      if (!stopping) throw error
    })
    if (!text) return
    const now = performance.now()
    const page = JSON.parse(text)
    if (page.gap) throw new Error(`Something was lost: ${text}`)
    for (const { seq, payload } of page.signals) {
      if (seq !== ++cursor) throw new Error(`${seq} came where ${cursor} was to come`)
      if (payload.number === undefined) continue // of who came
      const at = sentAt.get(payload.number)
      if (at === undefined) throw new Error(`${payload.number} came twice`)
      sentAt.delete(payload.number)
      took_ms.push(now - at)
      peer.heard++
    }
    peer.waiting = peer.waiting.filter(({ until, resolve }) => peer.heard < until || resolve())
  }
}

function hears(peer: Peer, until: number): Promise<void> {
  if (peer.heard >= until) return Promise.resolve()
  return new Promise(resolve => peer.waiting.push({ until, resolve }))
}

async function say({ person, partner }: Peer, type: string, bytes: number): Promise<void> {
  const number = ++sent
  sentAt.set(number, performance.now())
  await person.send(signalTo(partner, type, { number, text: 'x'.repeat(bytes) }))
}

async function trickle(peer: Peer): Promise<void> {
  for (let i = 0; i < candidates; i++) await say(peer, 'candidate', 230)
}

/** An offer, its answer, and candidates both ways, each sent once the one before is stored. */
async function negotiate([a, b]: [Peer, Peer]): Promise<void> {
  const [atA, atB] = [a.heard, b.heard]
  await say(a, 'offer', 2500)
  await hears(b, atB + 1)
  const answering = say(b, 'answer', 2500).then(() => trickle(b))
  await hears(a, atA + 1)
  await Promise.all([answering, trickle(a), hears(a, atA + 1 + candidates), hears(b, atB + 1 + candidates)])
}

/** One negotiation after the other, by so many pairs at once. */
async function negotiateFor(pairs: [Peer, Peer][], ms: number) {
  took_ms = []
  const started = performance.now()
  await Promise.all(
    pairs.map(async pair => {
      while (performance.now() - started < ms) await negotiate(pair)
    }),
  )
  return { count: took_ms.length, took_s: (performance.now() - started) / 1000, p50_ms: quantile(took_ms, 0.5) }
}

async function measure(setting: Setting, counts: boolean): Promise<void> {
  const { pids, pairs } = setting
  const calm = await negotiateFor(pairs.slice(0, 1), (seconds * 1000) / 4)
  const [before, backendsBefore] = [cpuOf(pids), await backendsOf(setting)]
  const busy = await negotiateFor(pairs, seconds * 1000)
  const [after, backendsAfter] = [cpuOf(pids), await backendsOf(setting)]
  await pause(100)
  if (!counts) return
  setting.perSecond.push(busy.count / busy.took_s)
  setting.cpu_us.push((sum(after, before) / busy.count) * 1e6)
  setting.backend_us.push((sum(backendsAfter, backendsBefore) / busy.count) * 1e6)
  setting.busy_ms.push(busy.p50_ms)
  setting.calm_ms.push(calm.p50_ms)
}

/** Of the engine's own processes, those that work for one database, as far as they run here. */
async function backendsOf({ database }: Setting): Promise<Map<number, number>> {
  const { rows } = await admin.query('SELECT pid FROM pg_stat_activity WHERE datname = $1', [database])
  return cpuOf(rows.map(({ pid }) => pid))
}

/** User and system time in seconds, from the kernel's own count. */
function cpuOf(pids: number[]): Map<number, number> {
  const seconds = pids.map((pid): [number, number] => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return [pid, (Number(fields[11]) + Number(fields[12])) / 100]
  })
  return new Map(seconds)
}

function sum(after: Map<number, number>, before: Map<number, number>): number {
  return [...after].reduce((total, [pid, seconds]) => total + seconds - (before.get(pid) ?? 0), 0)
}

function print(settings: Setting[]): void {
  const [base] = settings
  console.log(
    `${rounds} interleaved rounds of ${seconds} s, ${couples} pairs; medians, and the median of the rounds' ratios\n`,
  )
  console.log(row('', ...settings.map(({ name }) => name), 'inside/one', 'across/one'))
  const measures = {
    'messages per second': 'perSecond',
    'CPU of the nodes, µs each': 'cpu_us',
    'CPU of Postgres, µs each': 'backend_us',
    'delivery p50, all at once, ms': 'busy_ms',
    'delivery p50, one pair, ms': 'calm_ms',
  } as const
  for (const [name, key] of Object.entries(measures)) {
    const medians = settings.map(setting => quantile(setting[key], 0.5))
    const ratios = settings.slice(1).map(setting => {
      const each = setting[key].map((value, round) => value / (base?.[key][round] ?? Number.NaN))
      return quantile(each, 0.5).toFixed(2)
    })
    console.log(row(name, ...medians.map(value => value.toFixed(value < 100 ? 2 : 0)), ...ratios))
  }
}
