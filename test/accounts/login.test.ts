import argon2 from 'argon2'
import { expect, it, vi } from 'vitest'
import { createAttempts } from '../../src/features/accounts/attempts.ts'
import { createLimiter } from '../../src/kernel/limiter.ts'
import { createWorld, PASSWORD } from '../support/world.ts'

const world = await createWorld()
const limited = await createWorld({ RATE_LIMITS: 'on' })
const wrong = 'not the password'

it('logs in with the address in any case', async () => {
  const { user } = await world.make.user({ email: 'ada@example.com' })
  const reply = await world.anyone.post('/api/auth/login', { email: ' ADA@example.com', password: PASSWORD })
  expect(reply.status).toBe(200)
  expect(reply.body.user).toEqual(user)
  expect((await world.make.caller(reply.body).get('/api/auth/me')).status).toBe(200)
})

it('answers an unknown address and a wrong password in the same words', async () => {
  await world.make.user({ email: 'known@example.com' })
  const answers = []
  for (const email of ['known@example.com', 'unknown@example.com']) {
    const { status, body } = await world.anyone.post('/api/auth/login', { email, password: wrong })
    answers.push({ status, ...body, request_id: '' })
  }
  expect(answers[0]).toMatchObject({ status: 401, code: 'wrong_credentials' })
  expect(answers[1]).toEqual(answers[0])
})

it('does the same work for an unknown address and a wrong password', async () => {
  await world.make.user({ email: 'worked@example.com' })
  const verify = vi.spyOn(argon2, 'verify')
  for (const email of ['worked@example.com', 'nobody@example.com']) {
    await world.anyone.post('/api/auth/login', { email, password: wrong })
  }
  const parameters = verify.mock.calls.map(([hash]) => String(hash).split('$').slice(1, 4))
  verify.mockRestore()
  expect(parameters).toHaveLength(2)
  expect(parameters[1]).toEqual(parameters[0])
})

it('does not let an account of another tenant in', async () => {
  const tenant_id = await world.make.tenant('elsewhere')
  await world.make.user({ email: 'foreign@example.com', tenant_id })
  const reply = await world.anyone.post('/api/auth/login', { email: 'foreign@example.com', password: PASSWORD })
  expect(reply.status).toBe(401)
})

it('stops thirty wrong guesses, even at once, and lets the owner in from another address', async () => {
  await limited.make.user({ email: 'owner@example.com' })
  const attacker = limited.anyone.with({ from: '127.0.0.66' })
  const guess = () => attacker.post('/api/auth/login', { email: 'owner@example.com', password: wrong })
  const replies = await Promise.all(Array.from({ length: 30 }, guess))
  const refused = replies.filter(({ status }) => status === 429)
  expect(replies.filter(({ status }) => status === 401)).toHaveLength(10)
  expect(refused).toHaveLength(20)
  expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0)

  const right = { email: 'owner@example.com', password: PASSWORD }
  expect((await attacker.post('/api/auth/login', right)).status).toBe(429)
  expect((await limited.anyone.with({ from: '127.0.0.67' }).post('/api/auth/login', right)).status).toBe(200)

  limited.clock.advance(Number(refused[0]?.headers['retry-after']))
  expect((await attacker.post('/api/auth/login', right)).status).toBe(200)
})

it('stops one address that tries many accounts', async () => {
  const attacker = limited.anyone.with({ from: '127.0.0.70' })
  const statuses = []
  for (let i = 0; i < 30; i++) {
    const { status } = await attacker.post('/api/auth/login', { email: `victim${i}@example.com`, password: wrong })
    statuses.push(status)
  }
  expect(statuses.filter(status => status === 401)).toHaveLength(20)
  expect(statuses.slice(20).every(status => status === 429)).toBe(true)
})

it('stops many addresses that try one account, but not its owner where they have been before', async () => {
  await limited.make.user({ email: 'hunted@example.com' })
  const right = { email: 'hunted@example.com', password: PASSWORD }
  const home = limited.anyone.with({ from: '127.0.1.1' })
  expect((await home.post('/api/auth/login', right)).status).toBe(200)

  const statuses = []
  for (let i = 0; i < 110; i++) {
    const from = `127.0.2.${1 + (i % 40)}`
    const guess = { email: 'hunted@example.com', password: wrong }
    statuses.push((await limited.anyone.with({ from }).post('/api/auth/login', guess)).status)
  }
  expect(statuses.slice(0, 100).every(status => status === 401)).toBe(true)
  expect(statuses.slice(100).every(status => status === 429)).toBe(true)
  expect((await home.post('/api/auth/login', right)).status).toBe(200)
})

it('lets thirty people in at once who share an address, and one person thirty times', async () => {
  const office = limited.anyone.with({ from: '127.0.4.1' })
  const logIn = async (email: string) => (await office.post('/api/auth/login', { email, password: PASSWORD })).status
  const emails = Array.from({ length: 30 }, (_, i) => `colleague${i}@example.com`)
  for (const email of emails) await limited.make.user({ email })
  expect(await Promise.all(emails.map(logIn))).toEqual(Array(30).fill(200))
  expect(await Promise.all(emails.map(() => logIn('colleague0@example.com')))).toEqual(Array(30).fill(200))
})

it('charges nobody for an attempt that could not be judged', async () => {
  const attempts = createAttempts({ limiter: createLimiter(limited.clock, 1), clock: limited.clock })
  for (let i = 0; i < 50; i++) {
    const attempt = attempts.guard('ada', '192.0.2.1', () => Promise.reject(new Error('the database is away')))
    await expect(attempt).rejects.toThrow('away')
  }
  expect(await attempts.guard('ada', '192.0.2.1', async () => 'in')).toBe('in')
})

it('lets nobody flush the counters by making addresses up', async () => {
  const attempts = createAttempts({ limiter: createLimiter(limited.clock, 1), clock: limited.clock })
  const guess = (account: string, network: string) =>
    attempts
      .guard(account, network, async () => undefined)
      .then(
        () => 'wrong',
        () => 'refused',
      )
  for (let i = 0; i < 10; i++) expect(await guess('ada', '192.0.2.1')).toBe('wrong')
  for (let i = 0; i < 60_000; i++) await guess(`nobody${i}`, '192.0.2.2')
  expect(await guess('ada', '192.0.2.1')).toBe('refused')
})

it('forgives the failures of somebody who then gets it right', async () => {
  await limited.make.user({ email: 'clumsy@example.com' })
  const client = limited.anyone.with({ from: '127.0.3.1' })
  for (let i = 0; i < 40; i++) {
    const reply = await client.post('/api/auth/login', { email: 'clumsy@example.com', password: PASSWORD })
    expect(reply.status).toBe(200)
  }
})
