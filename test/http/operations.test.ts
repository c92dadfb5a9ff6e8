import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inTransaction } from '../../src/db/transaction.ts'
import { route } from '../../src/http/route.ts'
import { serveRoutes } from '../support/routes.ts'
import { createWorld, PASSWORD } from '../support/world.ts'

const METRICS_TOKEN = 'metrics: 0123456789 abcdefghij klm'
const world = await createWorld({ METRICS_TOKEN })

describe('health', () => {
  it('is ready while the database, its migrations and the storage are in order', async () => {
    expect((await world.anyone.get('/health/live')).body).toEqual({ status: 'live' })
    expect((await world.anyone.get('/health/ready')).body).toEqual({ status: 'ready' })
  })

  it('is not ready without its migrations, its storage, or once it is told to stop, but alive', async () => {
    const broken = await createWorld()
    const detail = async () => {
      const { status, body, headers } = await broken.anyone.get('/health/ready')
      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      return body.detail
    }
    await inTransaction(broken.db, db => db('knex_migrations').where({ name: '0007_idempotency_keys' }).delete())
    expect(await detail()).toBe('Not in order: migrations')
    rmSync(broken.storage_dir, { recursive: true })
    expect(await detail()).toBe('Not in order: migrations, storage')
    broken.app.prepareToStop()
    expect(await detail()).toBe('Not in order: stopping, migrations, storage')
    expect((await broken.anyone.get('/health/live')).status).toBe(200)
  })
})

describe('metrics', () => {
  it('count requests by route and status, and show the pool', async () => {
    await world.anyone.get('/api/auth/me')
    const { text } = await world.anyone.get('/metrics')
    expect(text).toMatch(/request_duration_seconds_count\{method="GET",route="\/api\/auth\/me",status="401"\} 1/)
    expect(text).toMatch(/parley_db_connections_used \d/)
  })

  it('answer this machine or the token, and not who comes through a proxy', async () => {
    const proxied = { 'X-Forwarded-For': '203.0.113.1' }
    const status = async (headers: { [name: string]: string }) => (await world.anyone.get('/metrics', headers)).status
    expect(await status({})).toBe(200)
    expect(await status(proxied)).toBe(401)
    expect(await status({ Forwarded: 'for=203.0.113.1' })).toBe(401)
    expect(await status({ ...proxied, Authorization: 'Bearer wrong' })).toBe(401)
    expect(await status({ ...proxied, Authorization: `Bearer ${METRICS_TOKEN}` })).toBe(200)
  })
})

describe('every answer', () => {
  it('has an id, which a proxy may have given', async () => {
    const own = (await world.anyone.get('/health/live')).headers['x-request-id']
    const given = (await world.anyone.get('/health/live', { 'X-Request-Id': 'from-the-proxy-1' })).headers[
      'x-request-id'
    ]
    const forged = (await world.anyone.get('/health/live', { 'X-Request-Id': 'a b\tc' })).headers['x-request-id']
    expect(own).toMatch(/^req_/)
    expect(given).toBe('from-the-proxy-1')
    expect(forged).toMatch(/^req_/)
    const refused = await world.anyone.get('/api/auth/me', { 'X-Request-Id': 'from-the-proxy-2' })
    expect(refused.body.request_id).toBe('from-the-proxy-2')
  })

  it('keeps browsers from guessing, framing and remembering', async () => {
    expect((await world.anyone.get('/health/live')).headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    })
  })

  it('is for our own pages alone, unless CORS_ORIGINS opens it', async () => {
    const asked = { Origin: 'https://app.example.com' }
    expect((await world.anyone.get('/health/live', asked)).headers['access-control-allow-origin']).toBeUndefined()

    const opened = await createWorld({ CORS_ORIGINS: 'https://app.example.com' })
    const answer = await opened.anyone.get('/health/live', asked)
    expect(answer.headers['access-control-allow-origin']).toBe('https://app.example.com')
    expect(answer.headers['access-control-expose-headers']).toContain('ETag')
    const refused = await opened.anyone.get('/api/auth/me', asked)
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example.com')
    const preflight = await opened.anyone.call('OPTIONS', '/api/auth/me', undefined, {
      ...asked,
      'Access-Control-Request-Method': 'PATCH',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-methods']).toContain('PATCH')
    const foreign = await opened.anyone.get('/health/live', { Origin: 'https://evil.example' })
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('the log', () => {
  it('has a line for each request, with the pattern of its route and no secret', async () => {
    const person = await world.make.user()
    const from = world.lines.length
    const login = await world.anyone.post('/api/auth/login', { email: person.user.email, password: PASSWORD })
    await person.get('/api/auth/me')
    await world.anyone.post('/api/auth/login', { email: person.user.email, password: 'a wrong secret' })
    await person.delete('/api/auth/logins/lgn_secret')
    await world.anyone.get('/nothing/secret?token=secret')

    const lines = world.lines.slice(from).join('')
    expect(lines).toContain('"route":"/api/auth/logins/:login_id"')
    expect(lines).toContain('"route":"unmatched"')
    for (const secret of [PASSWORD, 'secret', person.user.email, login.body.access_token, login.body.refresh_token]) {
      expect(lines).not.toContain(secret)
    }
  })

  it('tells a bug in full to the operator, and nothing of it to the client', async () => {
    const broken = await serveRoutes(world, {
      routes: [
        route('GET /broken', {
          summary: 'Break',
          access: 'anyone',
          reply: { 200: z.object({}) },
          handle() {
            throw Object.assign(new Error('inner workings'), { sql: 'select secret from users' })
          },
        }),
      ],
    })
    const answer = await fetch(`${broken.origin}/broken`)
    expect(answer.status).toBe(500)
    const text = await answer.text()
    expect(text).toContain('"code":"internal"')
    expect(text).not.toContain('workings')
    const logged = broken.lines.join('')
    expect(logged).toContain('inner workings')
    expect(logged).toContain(answer.headers.get('x-request-id'))
    expect(logged).not.toContain('select secret')
  })
})
