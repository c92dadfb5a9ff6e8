import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { demoOwner, demoPassword } from '../../seeds/demo.ts'

/** Parley as `npm start` runs it, on an empty SQLite database of its own; its log is written, and thrown away. */
export function startParley(port: number, settings: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const env = { ...process.env, PORT: String(port), STORAGE_DIR: folder, DATABASE_URL: '', NODE_ENV: 'development' }
  const server = spawn(process.execPath, ['dist/src/main.js'], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.once('exit', () => {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return { process: server, origin: `http://127.0.0.1:${port}` }
}

export async function reachable(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
    if (await fetch(url).then(Boolean, () => false)) return
    await pause(100)
  }
  throw new Error(`Nothing answers at ${url}`)
}

/** The access token of a new login of the demo's owner, who may come through a proxy from elsewhere. */
export async function logIn(origin: string, from = '127.0.0.1'): Promise<string> {
  const answer = await fetch(`${origin}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': from },
    body: JSON.stringify({ email: demoOwner, password: demoPassword }),
  })
  const { access_token } = (await answer.json()) as { access_token: string }
  return access_token
}

export const quantile = (values: number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

/** One row of a table: the first cell to the left, the others to the right. */
export const row = (...cells: string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(32) : cell.padStart(12))).join('')
