import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `npm run demo:postman`: starts a server on nothing, runs the collection on it as Postman would, and stops it. It ends as
 * newman does. Build first.
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'parley-postman-')) // without anybody's .env

const env = { PATH: process.env.PATH, PORT: '0', STORAGE_DIR: join(place, 'storage'), DEMO: 'off' }
const server = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist/src/main.js')], { cwd: place, env })
try {
  process.exitCode = await runCollection(await originOf(server))
} finally {
  await stop(server)
  rmSync(place, { recursive: true, force: true })
}

/** What it prints when it listens tells where; if it ends without, all that it printed tells why. */
async function originOf({ stdout, stderr }: typeof server): Promise<string> {
  let printed = ''
  stderr.on('data', chunk => process.stderr.write(chunk))
  for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk
    const origin = /listening on (http:\S+)/.exec(printed)?.[1]
    if (origin) {
      stdout.resume() // a pipe that nobody reads would hold the server up
      return origin
    }
  }
  throw new Error(`The server did not start:\n${printed}`)
}

async function runCollection(origin: string): Promise<number> {
  const folder = join(root, 'postman')
  const args = ['run', join(folder, 'parley.postman_collection.json'), '--bail']
  const given = ['--environment', join(folder, 'parley.postman_environment.json'), '--env-var', `base_url=${origin}`]
  const newman = spawn(join(root, 'node_modules/.bin/newman'), [...args, ...given], { stdio: 'inherit' })
  const [code] = await once(newman, 'close')
  return code ?? 1
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'close')
}
