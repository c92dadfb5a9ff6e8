import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { listen } from '../../src/http/server.ts'
import { whenDone } from './cleanup.ts'

const running = new Set<ChildProcess>()

/** A folder to run in, without anybody's `.env`, and the way to be rid of it. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-process-'))
  whenDone(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function freePort(): Promise<number> {
  const server = createServer()
  const { port } = await listen(server as never, 0, '127.0.0.1')
  server.close()
  await once(server, 'close')
  return port
}

export interface Run {
  child: ChildProcess
  /** All that it has printed so far. */
  output(): string
  /** Resolves when it has printed that so many times; rejects when it ends without. */
  prints(text: string, times?: number): Promise<void>
  ended: Promise<{ code: number | null; signal: string | null }>
}

/** Starts the server as a process of its own, as `npm start` does. */
export const startServer = (folder: string, env: NodeJS.ProcessEnv): Run =>
  run(process.execPath, [join(inject('build'), 'dist/src/main.js')], folder, env)

/** Runs any command; the environment has PATH and what is given, and nothing else. */
export function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): Run {
  const child = spawn(command, args, { cwd, env: { PATH: process.env.PATH, ...env } })
  running.add(child)
  whenDone(() => child.kill('SIGKILL'))
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
      for (const look of waiting) look()
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    for (const look of waiting) look()
    return { code, signal }
  })
  return {
    child,
    ended,
    output: () => text,
    prints: (wanted, times = 1) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (text.split(wanted).length > times) resolve()
          else if (!running.has(child)) reject(new Error(`It ended without printing ${wanted}:\n${text}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
  }
}
