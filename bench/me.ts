import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import autocannon from 'autocannon'
import { demoOwner, demoPassword } from '../seeds/demo.ts'

/**
 * What an authenticated `GET /api/auth/me` costs, beside a bare Koa handler and a bare node:http handler that answer
 * the same JSON. The rounds are interleaved, for a shared machine changes its mind from one second to the next; only
 * the ratios mean anything. Build first: `npm run bench` does.
 */

const rounds = Number(process.env.ROUNDS ?? 7)
const seconds = Number(process.env.SECONDS ?? 3)
const connections = 32

interface Target {
  name: string
  url: string
  headers: { [name: string]: string }
  process: ChildProcess
  perSecond: number[]
  cpu_us: number[]
}

const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
const targets = [bare('http', 3901, 'node:http'), bare('koa', 3902, 'Koa'), parley(3903)]

try {
  await Promise.all(targets.map(reachable))
  await logIn(targets[2])
  for (const target of targets) await measure(target, 1)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(i + round) % targets.length] // each goes first in turn
      if (!target) continue
      const { perSecond, cpu_us } = await measure(target, seconds)
      target.perSecond.push(perSecond)
      target.cpu_us.push(cpu_us)
    }
  }
  print()
} finally {
  for (const target of targets) target.process.kill()
  rmSync(folder, { recursive: true, force: true })
}

function bare(kind: 'http' | 'koa', port: number, name: string): Target {
  const server = spawn(process.execPath, ['bench/servers/bare.mjs', kind, String(port)], { stdio: 'inherit' })
  return { name, url: `http://127.0.0.1:${port}/`, headers: {}, process: server, perSecond: [], cpu_us: [] }
}

/** As `npm start` runs it, its log included, which goes to a file. */
function parley(port: number): Target {
  const env = { ...process.env, PORT: String(port), STORAGE_DIR: folder, DATABASE_URL: '', NODE_ENV: 'development' }
  const server = spawn(process.execPath, ['dist/src/main.js'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const url = `http://127.0.0.1:${port}/api/auth/me`
  return { name: 'Parley', url, headers: {}, process: server, perSecond: [], cpu_us: [] }
}

async function reachable({ url, process: { exitCode } }: Target): Promise<void> {
  for (let attempt = 0; attempt < 100 && exitCode === null; attempt++) {
    if (await fetch(url).then(Boolean, () => false)) return
    await pause(100)
  }
  throw new Error(`Nothing answers at ${url}`)
}

async function logIn(target: Target | undefined): Promise<void> {
  if (!target) return
  const answer = await fetch(new URL('/api/auth/login', target.url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: demoOwner, password: demoPassword }),
  })
  const { access_token } = (await answer.json()) as { access_token: string }
  target.headers = { Authorization: `Bearer ${access_token}` }
}

async function measure({ url, headers, process: { pid } }: Target, duration: number) {
  const before = cpuSeconds(pid)
  const result = await autocannon({ url, headers, connections, duration })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} broken`)
  const cpu_us = ((cpuSeconds(pid) - before) / result.requests.total) * 1e6
  return { perSecond: result.requests.total / result.duration, cpu_us }
}

/** User and system time of all threads, from the kernel's own count, which ticks a hundred times a second. */
function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function print(): void {
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  const koa = targets[1]
  const row = (...cells: string[]) => cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(12))).join('')
  console.log(`${rounds} interleaved rounds of ${seconds} s, ${connections} connections, medians\n`)
  console.log(row('', 'requests/s', 'to Koa', 'CPU µs each', 'to Koa'))
  for (const { name, perSecond, cpu_us } of targets) {
    const rate = median(perSecond.map((value, round) => value / (koa?.perSecond[round] ?? Number.NaN)))
    const cost = median(cpu_us.map((value, round) => value / (koa?.cpu_us[round] ?? Number.NaN)))
    const cells = [median(perSecond).toFixed(0), rate.toFixed(2), median(cpu_us).toFixed(0), cost.toFixed(2)]
    console.log(row(name, ...cells))
  }
}
