import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { inject } from 'vitest'
import { listen } from '../../src/http/server.ts'
import { emptyFolder, type Run, run } from '../support/process.ts'

/** A server that is killed and started again, with the same data and at the same address. */

export type Node = ReturnType<typeof createNode>

/** One secret, so that what one node signs is good at every other. */
const JWT_SECRET = randomBytes(32).toString('hex')

interface Options {
  DATABASE_URL: string
  port: number
  /** A command to start it with, and its arguments. */
  under?: string[]
}

export function createNode({ DATABASE_URL, port, under = [] }: Options) {
  const folder = emptyFolder()
  const env = { DATABASE_URL, PORT: String(port), JWT_SECRET, RATE_LIMITS: 'off', LOG_LEVEL: 'warn', DEMO: 'off' }
  const [command = '', ...args] = [...under, process.execPath, join(inject('build'), 'dist/src/main.js')]
  let running: Run | undefined
  let kills = 0

  return {
    origin: `http://127.0.0.1:${port}`,

    async start(): Promise<void> {
      running = run(command, args, folder, env)
      await running.prints('is listening')
    },

    /** Without any warning, as a machine dies. */
    async kill(): Promise<void> {
      if (!running) throw new Error('There is nothing to kill')
      if (!running.child.kill('SIGKILL')) throw new Error(`It had ended before it was killed:\n${running.output()}`)
      const { signal } = await running.ended
      if (signal !== 'SIGKILL') throw new Error(`It ended before it was killed:\n${running.output()}`)
      kills++
    },

    get pid() {
      return running?.child.pid
    },
    /** What it has printed since it was started: warnings and errors. */
    output: () => running?.output() ?? '',
    ended: () => running?.ended,
    /** Where in its history it is, for messages. */
    when: () => (kills === 0 ? 'before any kill' : `after kill ${kills}`),
  }
}

/**
 * A port that stays free while the server on it is away. Those that the system gives out by itself do not: it gives them
 * to whoever calls, even to a client that calls that very port again and again, which is then answered by itself.
 */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const server = createServer()
    try {
      await listen(server as never, port, '127.0.0.1')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
