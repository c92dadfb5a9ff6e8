import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inTransaction } from '../../src/db/transaction.ts'
import { route } from '../../src/http/route.ts'
import { Secret } from '../../src/kernel/fields.ts'
import { problem } from '../../src/kernel/problem.ts'
import { serveRoutes } from '../support/routes.ts'
import { createWorld } from '../support/world.ts'

const NoMore = problem('conflict', 'no_more', 'There is no more')
const Thing = z.object({ id: z.string(), name: z.string(), version: z.int() }).meta({ id: 'Thing' })

const world = await createWorld()
let made = 0
let refuse = false
let bug: Error | undefined
let hold: Promise<void> | undefined

const { as, client, idempotency, origin } = await serveRoutes(world, {
  routes: [
    route('POST /things', {
      summary: 'Make a thing',
      access: 'user',
      body: z.strictObject({ name: z.string(), colour: z.string().default('red') }),
      reply: { 201: Thing },
      problems: [NoMore],
      idempotent: true,
      etag: true,
      location: ({ id }) => `/things/${id}`,
      async handle({ body }) {
        await hold
        if (refuse) throw NoMore()
        if (bug) throw bug
        made++
        return { id: `thing${made}`, name: body.name, version: made }
      },
    }),
  ],
})

beforeEach(() => {
  made = 0
  refuse = false
  hold = undefined
})

const make = (key: string, name = 'lamp', who = 'ada') => as(who).post('/things', { name }, { 'Idempotency-Key': key })

describe('an Idempotency-Key', () => {
  it('gives the first answer again, with its headers, and does the work once', async () => {
    const [first, again] = [await make('k1'), await make('k1')]
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.body).toEqual(first.body)
    expect(again.headers).toMatchObject({
      location: first.headers.location,
      etag: '"1"',
      'idempotency-replayed': 'true',
    })
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(made).toBe(1)
  })

  it('is the same for the same request written in another order, and not for another one', async () => {
    const key = { 'Idempotency-Key': 'k2' }
    await as('ada').post('/things', { name: 'lamp', colour: 'blue' }, key)
    expect((await as('ada').post('/things', { colour: 'blue', name: 'lamp' }, key)).status).toBe(201)
    const other = await as('ada').post('/things', { name: 'lamp', colour: 'green' }, key)
    expect(other.status).toBe(422)
    expect(other.body.code).toBe('idempotency_mismatch')
  })

  it('is the caller’s own', async () => {
    const [mine, theirs] = [await make('k3', 'lamp', 'ada'), await make('k3', 'chair', 'grace')]
    const elsewhere = await make('k3', 'desk', 'ada@elsewhere')
    expect(new Set([mine.body.id, theirs.body.id, elsewhere.body.id]).size).toBe(3)
  })

  it('does the work of twenty requests at once one time', async () => {
    let release = () => {}
    hold = new Promise(resolve => {
      release = resolve
    })
    const replies = Promise.all(
      Array.from({ length: 20 }, async () => {
        const reply = await make('k4')
        if (reply.status === 409) release() // the others are told so while the first is still at work
        return reply
      }),
    )
    const statuses = (await replies).map(({ status, body }) => body.code ?? status)
    expect(statuses.filter(status => status === 201).length).toBeGreaterThanOrEqual(1)
    expect(statuses.every(status => status === 201 || status === 'idempotency_in_progress')).toBe(true)
    expect(made).toBe(1)
    expect((await make('k4')).status).toBe(201)
  })

  it('is free again after a refusal', async () => {
    refuse = true
    expect((await make('k5')).body.code).toBe('no_more')
    refuse = false
    expect((await make('k5')).status).toBe(201)
  })

  it('of a request that was cut off says so, and never does the work twice', async () => {
    await make('k6')
    const unanswered = { answer: null } // what a process leaves behind that was killed before it could answer
    await inTransaction(world.db, db => db('idempotency_keys').where({ idempotency_key: 'k6' }).update(unanswered))
    expect((await make('k6')).body.code).toBe('idempotency_in_progress')
    world.clock.advance(91)
    expect((await make('k6')).body.code).toBe('idempotency_unknown')
    expect(made).toBe(1)
  })

  it('is forgotten after a day, and swept away', async () => {
    await make('k7')
    world.clock.advance(24 * 3600 + 1)
    expect((await make('k7')).headers['idempotency-replayed']).toBeUndefined()
    world.clock.advance(24 * 3600 + 1)
    expect(await idempotency.sweep.run()).toBeGreaterThan(0)
    expect(await world.db('idempotency_keys')).toEqual([])
  })

  it.each([
    ['two hundred characters', 'x'.repeat(201)],
    ['one word', 'two words'],
  ])('has at most %s', async (_, key) => {
    expect((await make(key)).status).toBe(422)
  })

  it('cannot be declared where the answer carries a secret', async () => {
    const leaky = route('POST /secrets', {
      summary: 'Make a secret',
      access: 'user',
      reply: { 201: z.object({ data: z.array(z.object({ token: Secret })) }) },
      idempotent: true,
      handle: () => ({ data: [] }),
    })
    await expect(serveRoutes(world, { routes: [leaky] })).rejects.toThrow('would store the secret')
  })

  it('of a request that failed in the dark says so at once', async () => {
    bug = new Error('the connection broke at the commit')
    const failed = await fetch(`${origin}/things`, {
      method: 'POST',
      headers: { As: 'ada', 'Idempotency-Key': 'k9', 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'lamp' }),
    })
    expect(failed.status).toBe(500)
    bug = undefined
    expect((await make('k9')).body.code).toBe('idempotency_unknown')
    expect(made).toBe(0)
  })

  it('is free again after work that was in another’s way, and was rolled back whole', async () => {
    bug = Object.assign(new Error('could not serialize access'), { code: '40001' })
    const failed = await make('k10')
    expect([failed.status, failed.headers['retry-after']]).toEqual([503, '1'])
    bug = undefined
    const again = await make('k10')
    expect(again.status).toBe(201)
    expect(again.headers['idempotency-replayed']).toBeUndefined()
    expect(made).toBe(1)
  })

  it('means nothing to who is nobody', async () => {
    expect((await client.post('/things', { name: 'lamp' }, { 'Idempotency-Key': 'k8' })).status).toBe(401)
  })
})
