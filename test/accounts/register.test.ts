import { expect, it } from 'vitest'
import { createWorld, PASSWORD } from '../support/world.ts'

const world = await createWorld()
const ada = { email: 'Ada@Example.com ', name: 'Ada', password: PASSWORD, time_zone: 'Europe/Berlin' }

it('registers an account, logged in, with its address in lower case', async () => {
  const reply = await world.anyone.post('/api/auth/register', ada)
  expect(reply.status).toBe(201)
  expect(reply.headers.location).toBe('/api/auth/me')
  expect(reply.body).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
  expect(reply.body.user).toMatchObject({
    email: 'ada@example.com',
    name: 'Ada',
    time_zone: 'Europe/Berlin',
    version: 1,
  })
  expect((await world.make.caller(reply.body).get('/api/auth/me')).body).toEqual(reply.body.user)
})

it('refuses an address that is taken, however it is written', async () => {
  const reply = await world.anyone.post('/api/auth/register', { ...ada, email: 'ADA@EXAMPLE.COM' })
  expect(reply.status).toBe(409)
  expect(reply.body.code).toBe('email_taken')
})

it('gives one of fifty who want the same address at once an account, and tells the others', async () => {
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => world.anyone.post('/api/auth/register', { ...ada, email: 'race@example.com' })),
  )
  const statuses = replies.map(({ status }) => status)
  expect(statuses.filter(status => status === 201)).toHaveLength(1)
  expect(statuses.filter(status => status === 409)).toHaveLength(49)
  expect(await world.db('users').where({ email: 'race@example.com' })).toHaveLength(1)
})

it('names every wrong field at once', async () => {
  const wrong = { email: 'nobody', name: ' ', password: 'short', time_zone: 'Mars/Olympus', nickname: 'A' }
  const reply = await world.anyone.post('/api/auth/register', wrong)
  expect(reply.status).toBe(422)
  const paths = reply.body.errors.map(({ path }: { path: string }) => path)
  expect(paths.sort()).toEqual(['email', 'name', 'nickname', 'password', 'time_zone'])
})

it('keeps the same address apart in two tenants', async () => {
  const tenant_id = await world.make.tenant('elsewhere')
  const there = await world.make.user({ email: 'twin@example.com', tenant_id })
  const here = await world.make.user({ email: 'twin@example.com' })
  expect(there.user.id).not.toBe(here.user.id)
  expect((await there.get('/api/auth/me')).body.id).toBe(there.user.id)
})

it('records who came, by ids alone', async () => {
  const { user } = await world.make.user({ email: 'traced@example.com', name: 'Traced' })
  const events = await world.db('events').where({ actor_id: user.id }).orderBy('id')
  expect(events.map(({ type }) => type)).toEqual(['user.registered', 'login.begun'])
  expect(JSON.stringify(events)).not.toMatch(/traced/i)
})
