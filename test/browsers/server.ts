import { join } from 'node:path'
import { inject } from 'vitest'
import { steadyPort } from '../crash/node.ts'
import { emptyFolder, type Run, run } from '../support/process.ts'

/** A server that is a process of its own, and that can be killed. */
export async function startParley(settings: { [name: string]: string } = {}) {
  const folder = emptyFolder()
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
  await start()
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Where letters are put, for there is no mail server. */
    outbox: join(folder, 'storage', 'outbox'),
    start,
    output: () => running?.output() ?? '',
    async kill() {
      running?.child.kill('SIGKILL')
      await running?.ended
    },
  }
}
