import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { logIn, quantile, reachable, row, startParley } from './support/parley.ts'

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

const ours = parley(3903)
const targets = [bare('http', 3901, 'node:http'), bare('koa', 3902, 'Koa'), ours]

try {
  await Promise.all(targets.map(({ url, process }) => reachable(url, process)))
  ours.headers = { Authorization: `Bearer ${await logIn(new URL(ours.url).origin)}` }
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
}

function bare(kind: 'http' | 'koa', port: number, name: string): Target {
  const server = spawn(process.execPath, ['bench/servers/bare.mjs', kind, String(port)], { stdio: 'inherit' })
  return { name, url: `http://127.0.0.1:${port}/`, headers: {}, process: server, perSecond: [], cpu_us: [] }
}

function parley(port: number): Target {
  const { process, origin } = startParley(port)
  return { name: 'Parley', url: `${origin}/api/auth/me`, headers: {}, process, perSecond: [], cpu_us: [] }
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
  const koa = targets[1]
  console.log(`${rounds} interleaved rounds of ${seconds} s, ${connections} connections, medians\n`)
  console.log(row('', 'requests/s', 'to Koa', 'CPU µs each', 'to Koa'))
  for (const { name, perSecond, cpu_us } of targets) {
    const rates = perSecond.map((value, round) => value / (koa?.perSecond[round] ?? Number.NaN))
    const costs = cpu_us.map((value, round) => value / (koa?.cpu_us[round] ?? Number.NaN))
    const [perS, rate, cpu, cost] = [perSecond, rates, cpu_us, costs].map(values => quantile(values, 0.5))
    console.log(row(name, `${perS?.toFixed(0)}`, `${rate?.toFixed(2)}`, `${cpu?.toFixed(0)}`, `${cost?.toFixed(2)}`))
  }
}
