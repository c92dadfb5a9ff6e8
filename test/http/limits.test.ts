import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createClients } from '../../src/http/client.ts'
import { perAccount, perAddress, route } from '../../src/http/route.ts'
import { serveRoutes } from '../support/routes.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const reply = { 200: z.object({ ok: z.boolean() }) }
const handle = () => ({ ok: true })

const { client, as } = await serveRoutes(world, {
  routes: [
    route('GET /by-address', { summary: 'A', access: 'anyone', reply, handle, limits: [perAddress(3, 60)] }),
    route('GET /by-account', { summary: 'B', access: 'user', reply, handle, limits: [perAccount(3, 60)] }),
  ],
})

const statuses = async (times: number, call: () => Promise<{ status: number }>) => {
  const seen = []
  for (let i = 0; i < times; i++) seen.push((await call()).status)
  return seen
}

describe('a limit', () => {
  it('by address stops that address, says for how long, and lets go in time', async () => {
    expect(await statuses(4, () => client.get('/by-address'))).toEqual([200, 200, 200, 429])
    const refused = await client.get('/by-address')
    expect(refused.headers['retry-after']).toBe('20')
    expect((await client.with({ from: '127.0.0.9' }).get('/by-address')).status).toBe(200)
    world.clock.advance(20)
    expect(await statuses(2, () => client.get('/by-address'))).toEqual([200, 429])
  })

  it('by account follows the account to every address', async () => {
    expect(await statuses(3, () => as('ada').get('/by-account'))).toEqual([200, 200, 200])
    expect((await as('ada').with({ from: '127.0.0.9' }).get('/by-account')).status).toBe(429)
    expect((await as('grace').get('/by-account')).status).toBe(200)
  })

  it('is not escaped by a forwarded header', async () => {
    const from = { from: '127.0.0.10' }
    const forged = (i: number) => client.with(from).get('/by-address', { 'X-Forwarded-For': `10.0.0.${i}` })
    let i = 0
    expect(await statuses(4, () => forged(i++))).toEqual([200, 200, 200, 429])
  })
})

describe('who calls', () => {
  const network = (trusted: string[], remoteAddress: string, forwarded?: string) =>
    createClients(trusted)({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    } as unknown as IncomingMessage).network

  it.each([
    ['an IPv4 address', [], '198.51.100.7', undefined, '198.51.100.7'],
    ['IPv4 inside IPv6', [], '::ffff:198.51.100.7', undefined, '198.51.100.7'],
    ['the /64 of an IPv6 address', [], '2001:db8:1:2:aaaa::1', undefined, '2001:db8:1:2::/64'],
    ['nobody a stranger claims to be', [], '198.51.100.7', '203.0.113.1', '198.51.100.7'],
    ['whom a trusted proxy names', ['10.0.0.0/8'], '10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['the last one before the proxies', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 203.0.113.1, 10.9.9.9', '203.0.113.1'],
    ['the proxy, when it names nobody', ['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
    ['the proxy, when it names nonsense', ['10.0.0.0/8'], '10.1.2.3', '203.0.113.1, nonsense', '10.1.2.3'],
    ['whom a proxy names with a port', ['10.0.0.0/8'], '10.1.2.3', '203.0.113.1:4711', '203.0.113.1'],
    ['whom a proxy names in brackets', ['10.0.0.0/8'], '10.1.2.3', '[2001:db8::5]:4711', '2001:db8:0:0::/64'],
    ['the proxy, when it names a zone', ['10.0.0.0/8'], '10.1.2.3', 'fe80::1%a-b', '10.1.2.3'],
    ['whom an IPv6 proxy names', ['::1'], '::1', '2001:db8::5', '2001:db8:0:0::/64'],
  ])('is %s', (_, trusted, remote, forwarded, expected) => {
    expect(network(trusted, remote, forwarded)).toBe(expected)
  })
})
