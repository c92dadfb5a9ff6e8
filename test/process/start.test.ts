import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { pendingMigrations } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { whenDone } from '../support/cleanup.ts'
import { emptyDatabase, engine } from '../support/database.ts'
import { emptyFolder, freePort, run, startServer } from '../support/process.ts'

async function freshPlace() {
  const { url, settings, drop } = await emptyDatabase()
  whenDone(drop)
  const port = await freePort()
  const env = { DATABASE_URL: url, PORT: String(port) }
  return { folder: emptyFolder(), env, settings, origin: `http://127.0.0.1:${port}` }
}

/** Whatever the starts before have left behind, this one gets all the way. */
async function expectCompleted({
  folder,
  env,
  origin,
}: Pick<Awaited<ReturnType<typeof freshPlace>>, 'folder' | 'env' | 'origin'>) {
  const last = startServer(folder, env)
  await last.prints('Demo login')
  expect((await fetch(`${origin}/health/ready`)).status).toBe(200)
  last.child.kill('SIGTERM')
  expect(await last.ended).toEqual({ code: 0, signal: null })
}

describe('the first start', () => {
  it('migrates, seeds, and prints a curl that works as it stands; the second start keeps all of it', async () => {
    const { folder, env, origin } = await freshPlace()
    const first = startServer(folder, env)
    await first.prints('curl ')
    expect(first.output()).toContain(`${origin}/docs`)
    const command = /^ {2}(curl .*)$/m.exec(first.output())?.[1] ?? ''
    const curl = run('sh', ['-c', command], folder, {})
    expect((await curl.ended).code).toBe(0)
    expect(JSON.parse(curl.output())).toMatchObject({ user: { name: 'Demo Owner' }, token_type: 'Bearer' })
    expect(statSync(join(folder, 'storage/jwt-secret')).mode & 0o777).toBe(0o600)
    first.child.kill('SIGTERM')
    await first.ended

    const { access_token } = JSON.parse(curl.output())
    const second = startServer(folder, env)
    await second.prints('curl ')
    const me = await fetch(`${origin}/api/auth/me`, { headers: { Authorization: `Bearer ${access_token}` } })
    expect(me.status).toBe(200)
    expect(second.output()).not.toContain('migrated')
    second.child.kill('SIGTERM')
    expect(await second.ended).toEqual({ code: 0, signal: null })
  })

  it('killed in the middle of its migrations, again and again, is completed by the next', async () => {
    const { folder, env, origin, settings } = await freshPlace()
    const left: number[] = []
    do {
      const start = startServer(folder, env)
      // After two of them, then three, then four: to kill each start at its first would take minutes by now.
      const some = 2 + left.length
      await Promise.race([start.prints('"msg":"migrated"', some), start.prints('is listening')])
      start.child.kill('SIGKILL')
      await start.ended
      const database = await openDatabase(settings)
      left.push((await pendingMigrations(database.db)).length)
      await database.close()
    } while (left.at(-1) !== 0)
    await expectCompleted({ folder, env, origin })
  }, 120_000)

  it('killed at any moment is completed by the next', async () => {
    const { folder, env, origin } = await freshPlace()
    const first = startServer(folder, { ...env, DATABASE_URL: (await freshPlace()).env.DATABASE_URL })
    const began = performance.now()
    await first.prints('is listening')
    const usual_ms = performance.now() - began
    first.child.kill('SIGKILL')
    await first.ended
    for (let i = 0; i < 5; i++) {
      const start = startServer(folder, env)
      // In the second half of a start: in the first the code is loaded, and nothing is touched yet.
      await pause(usual_ms * (0.5 + Math.random() / 2))
      start.child.kill('SIGKILL')
      await start.ended
    }
    await expectCompleted({ folder, env, origin })
  }, 120_000)

  it('refuses a secret that was damaged, and names its file', async () => {
    const { folder, env } = await freshPlace()
    mkdirSync(join(folder, 'storage'))
    writeFileSync(join(folder, 'storage/jwt-secret'), '')
    const start = startServer(folder, env)
    expect((await start.ended).code).toBe(1)
    expect(start.output()).toContain('storage/jwt-secret: is damaged')
  })
})

describe('two processes on one database', () => {
  it('share it where the engine can, and migrate it once; on SQLite the second names the lock and goes', async () => {
    const { folder, env } = await freshPlace()
    const other = { ...env, PORT: String(await freePort()) }
    const starts = [startServer(folder, env), startServer(folder, other)]
    const outcomes = await Promise.all(
      starts.map(start =>
        start.prints('is listening').then(
          () => 'up',
          async () => (await start.ended).code,
        ),
      ),
    )
    const printed = starts.map(start => start.output()).join('')
    expect(printed.split('"msg":"migrated"')).toHaveLength(Object.keys(migrations).length + 1)
    if (engine === 'sqlite') {
      expect(outcomes.sort()).toEqual([1, 'up'])
      expect(printed).toMatch(/in use by another process \(pid \d+, since .*\), which holds .*\.sqlite\.lock/)
    } else {
      expect(outcomes).toEqual(['up', 'up'])
    }
    for (const { child } of starts) child.kill('SIGTERM')
    await Promise.all(starts.map(({ ended }) => ended))
  })

  it('one after the other need nothing to be cleared by hand after a kill', async () => {
    const { folder, env } = await freshPlace()
    const first = startServer(folder, env)
    await first.prints('is listening')
    first.child.kill('SIGKILL')
    await first.ended
    const second = startServer(folder, env)
    await second.prints('is listening')
    second.child.kill('SIGTERM')
    expect((await second.ended).code).toBe(0)
  })
})

if (engine === 'sqlite') {
  it('a SQLite file that is in use is in use by every link to it', async () => {
    const { folder, env, settings } = await freshPlace()
    const first = startServer(folder, env)
    await first.prints('is listening')
    const link = join(folder, 'link.sqlite')
    if (settings.engine === 'sqlite') symlinkSync(settings.file, link)
    const second = startServer(folder, { PORT: String(await freePort()), DATABASE_URL: `sqlite:${link}` })
    expect((await second.ended).code).toBe(1)
    expect(second.output()).toContain('in use by another process')
    first.child.kill('SIGTERM')
    await first.ended
  })
}

describe('a start that cannot be', () => {
  const refusal = async (env: NodeJS.ProcessEnv) => {
    const start = startServer(emptyFolder(), env)
    expect((await start.ended).code).toBe(1)
    expect(start.output()).not.toMatch(/^ +at /m)
    return start.output()
  }

  it('names every wrong setting', async () => {
    expect(await refusal({ NODE_ENV: 'production' })).toContain('JWT_SECRET: is required in production')
    const several = await refusal({ PORT: 'x', RATE_LIMITS: 'often' })
    expect(several).toContain('PORT: ')
    expect(several).toContain('RATE_LIMITS: ')
  })

  it('says which port is taken', async () => {
    const { folder, env } = await freshPlace()
    const first = startServer(folder, env)
    await first.prints('is listening')
    const { url, drop } = await emptyDatabase()
    whenDone(drop)
    expect(await refusal({ PORT: env.PORT, DATABASE_URL: url })).toContain(`HOST and PORT: listen EADDRINUSE`)
    first.child.kill('SIGTERM')
    await first.ended
  })

  it('says that the database is away, and not the password for it', async () => {
    const output = await refusal({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/none' })
    expect(output).toContain('DATABASE_URL: connect ECONNREFUSED')
    expect(output).not.toContain('hunter2')
  })
})
