import { describe, expect, it } from 'vitest'
import { createSweeper, type Job } from '../../src/jobs/sweeper.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { db, clock } = world
const lines: string[] = []
const log = createLog('info', { write: line => lines.push(line) })
const node = (...jobs: Job[]) => createSweeper({ db, clock, log, jobs })

/** Promise.withResolvers, which Node 20 lacks. */
function promiseWithResolve() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}

/** A job that counts how often it ran, and has so many rows to change. */
function counting(name: string, rows = 0) {
  const counted = { runs: 0, job: { name, every_s: 60, run } }
  async function run() {
    counted.runs++
    return rows-- > 0 ? 1 : 0
  }
  return counted
}

describe('a job', () => {
  it('runs once in its time, however many nodes look', async () => {
    const counted = counting('shared')
    const nodes = Array.from({ length: 5 }, () => node(counted.job))
    for (let period = 1; period <= 3; period++) {
      await Promise.all(nodes.map(({ tick }) => tick()))
      await Promise.all(nodes.map(({ tick }) => tick()))
      expect(counted.runs).toBe(period)
      clock.advance(60)
    }
  })

  it('goes on until nothing is left to change', async () => {
    const counted = counting('long', 3)
    await node(counted.job).tick()
    expect(counted.runs).toBe(4)
  })

  it('that fails is logged, keeps no other from running, and is tried again', async () => {
    let attempts = 0
    const failing: Job = {
      name: 'failing',
      every_s: 60,
      async run() {
        attempts++
        throw new Error('broken')
      },
    }
    const counted = counting('after it')
    const { tick } = node(failing, counted.job)
    await tick()
    clock.advance(60)
    await tick()
    expect(attempts).toBe(2)
    expect(counted.runs).toBe(2)
    expect(lines.join('')).toContain('broken')
  })

  it('is waited for by who stops', async () => {
    const begun = promiseWithResolve()
    const allowed = promiseWithResolve()
    const slow: Job = {
      name: 'slow',
      every_s: 60,
      async run() {
        begun.resolve()
        await allowed.promise
        return 0
      },
    }
    const stop = node(slow).start()
    await begun.promise
    let stopped = false
    const stopping = stop().then(() => {
      stopped = true
    })
    await db('jobs').select() // time enough for a stop that does not wait
    expect(stopped).toBe(false)
    allowed.resolve()
    await stopping
  })
})

describe('the sweeps of accounts', () => {
  it('delete logins and refresh tokens that nobody can use any more, and no others', async () => {
    const gone = await world.make.user()
    clock.advance(20 * 24 * 3600)
    const kept = await world.make.user()
    const renewed = await world.anyone.post('/api/auth/refresh', { refresh_token: kept.tokens.refresh_token })
    clock.advance(11 * 24 * 3600)
    await world.app.sweeper.tick()
    const logins = await db('logins').pluck('user_id')
    expect(logins).not.toContain(gone.user.id)
    expect(logins).toContain(kept.user.id)
    expect(await db('refresh_tokens')).toHaveLength(2)
    const { refresh_token } = renewed.body
    expect((await world.anyone.post('/api/auth/refresh', { refresh_token })).status).toBe(200)
  })
})
