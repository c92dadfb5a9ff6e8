import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { emptyDatabase, engine } from '../support/database.ts'
import { emptyFolder, freePort, run, startServer } from '../support/process.ts'

async function freshPlace() {
  const { url, drop } = await emptyDatabase()
  afterAll(drop)
  const port = await freePort()
  return { folder: emptyFolder(), env: { DATABASE_URL: url, PORT: String(port) }, origin: `http://127.0.0.1:${port}` }
}

const secondsOfMany = 120_000

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

  it(
    'killed after any of its migrations is completed by the next',
    async () => {
      const { folder, env, origin } = await freshPlace()
      const count = Object.keys(migrations).length
      let done = 0
      while (done < count) {
        const start = startServer(folder, env)
        await start.prints('"msg":"migrated"')
        start.child.kill('SIGKILL')
        await start.ended
        done += start.output().split('"msg":"migrated"').length - 1
      }
      const last = startServer(folder, env)
      await last.prints('Demo login')
      expect((await fetch(`${origin}/health/ready`)).status).toBe(200)
      last.child.kill('SIGTERM')
      await last.ended
    },
    secondsOfMany,
  )

  it(
    'killed at any moment is completed by the next',
    async () => {
      const { folder, env, origin } = await freshPlace()
      for (let moment = 0; moment < 6; moment++) {
        const start = startServer(folder, env)
        // Past the loading of the code, where nothing happens yet; what follows takes about a tenth of a second.
        await new Promise(resolve => setTimeout(resolve, 350 + 60 * moment))
        start.child.kill('SIGKILL')
        await start.ended
      }
      const last = startServer(folder, env)
      await last.prints('Demo login')
      expect((await fetch(`${origin}/health/ready`)).status).toBe(200)
      last.child.kill('SIGTERM')
      await last.ended
    },
    secondsOfMany,
  )
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
    afterAll(drop)
    expect(await refusal({ PORT: env.PORT, DATABASE_URL: url })).toContain(`127.0.0.1:${env.PORT}`)
    first.child.kill('SIGTERM')
    await first.ended
  })

  it('says that the database is away, and not the password for it', async () => {
    const output = await refusal({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/none' })
    expect(output).toContain('cannot reach its database')
    expect(output).not.toContain('hunter2')
  })
})
