import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { steadyPort } from '../crash/node.ts'
import { whenDone } from '../support/cleanup.ts'
import { type Run, run } from '../support/process.ts'

/** A server that is a process of its own, and that can be killed. One that is started for all tests of a file has to be ended. */
export async function startParley(settings: { [name: string]: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-process-'))
  const port = await steadyPort()
  const env = {
    PORT: String(port),
    LOG_LEVEL: 'warn',
    DEMO: 'off',
    RATE_LIMITS: 'off',
    DATABASE_URL: `sqlite:${folder}/p.sqlite`,
    ...settings,
  }
  let running: Run | undefined
  const start = async () => {
    running = run(process.execPath, [`${inject('build')}/dist/src/main.js`], folder, env)
    await running.prints('is listening')
  }
  const kill = async () => {
    running?.child.kill('SIGKILL')
    await running?.ended
  }
  /** For good, with all that it kept. */
  const end = async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  whenDone(end)
  await start()
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Where letters are put, for there is no mail server. */
    outbox: join(folder, 'storage', 'outbox'),
    start,
    output: () => running?.output() ?? '',
    kill,
    end,
  }
}
