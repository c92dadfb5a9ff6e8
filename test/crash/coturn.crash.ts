import { spawnSync } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { comeIn, newRoom } from '../signaling/room.ts'
import { emptyFolder, run } from '../support/process.ts'
import { createWorld, type World } from '../support/world.ts'
import { steadyPort } from './node.ts'
import { type Credentials, createTurnClient, type Family, type TurnClient } from './turn.ts'

const file = join(process.cwd(), 'deploy/coturn.conf')
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .map(line => line.trim())
  .filter(line => line !== '' && !line.startsWith('#'))

/** What a relay must not send to: by networks, of which the two ends are tried, and by single addresses that matter. */
const denied: { [family in Family]: { networks: string[]; addresses: string[] } } = {
  IPv4: {
    networks: [
      ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
      ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
      ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
    ],
    addresses: ['127.0.0.1', '169.254.169.254', '100.100.100.200', '168.63.129.16', '192.168.1.1', '255.255.255.255'],
  },
  IPv6: {
    networks: [
      ...['::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '200::/7', '1000::/4'],
      ...['2001::/23', '2001::/32', '2001:db8::/32', '2002::/16', '3fff::/20', '4000::/3', '8000::/2', '5f00::/16'],
      ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
    ],
    addresses: [
      ...['::', '::1', '::7f00:1', '::a00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254'],
      ...[
        '::ffff:192.168.1.1',
        '::ffff:8.8.8.8',
        '::ffff:0:a00:1',
        '64:ff9b::7f00:1',
        '64:ff9b::a00:1',
        '64:ff9b:1::1',
      ],
      ...[
        '2002:a00:1::1',
        '2002:7f00:1::',
        '2001:0:a00:1::1',
        'fe80::1',
        'fd00:ec2::254',
        'fd12:3456:789a::1',
        'ff02::1',
      ],
    ],
  },
}

/** What a relay is for: addresses right beside those, and some in the middle. */
const open: { [family in Family]: string[] } = {
  IPv4: [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['168.63.129.15', '168.63.129.17', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
    ...['191.255.255.255', '192.0.1.0', '192.0.3.0', '192.88.98.255', '192.88.100.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0', '198.51.99.255', '198.51.101.0', '203.0.112.255', '203.0.114.0', '8.8.8.8'],
    '223.255.255.255',
  ],
  IPv6: [
    ...['2000::', '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:200::', '2001:4860:4860::8888', '2001:db9::'],
    ...['2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::', '2a00::a00:1'],
    ...['3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:1000::', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ],
}

const endsOf = (network: string): string[] => {
  const kind = network.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4
  return [kind.networkAddressFromCIDR(network), kind.broadcastAddressFromCIDR(network)].map(String)
}

const notRun = (why: string): void => console.log(`not run: ${why}`)
const hasIPv6 = Object.values(networkInterfaces()).some(of => of?.some(({ address }) => address === '::1'))
const isInstalled = spawnSync('turnserver', ['--version']).error === undefined

describe('deploy/coturn.conf', () => {
  it('lets nobody in by itself: no secret, no account, no exception from what it denies', () => {
    const names = lines.map(line => line.split('=')[0])
    expect(names).toContain('use-auth-secret')
    for (const open of ['static-auth-secret', 'user', 'no-auth', 'allowed-peer-ip', 'allow-loopback-peers', 'oauth']) {
      expect(names).not.toContain(open)
    }
  })

  if (!isInstalled) notRun('coturn is not installed')
})

if (isInstalled) await withCoturn()

async function withCoturn() {
  const TURN_SECRET = randomBytes(32).toString('hex')
  const port = await steadyPort()
  const world = await createWorld({
    STUN_URLS: `stun:127.0.0.1:${port}`,
    TURN_URLS: `turn:127.0.0.1:${port}?transport=udp`,
    TURN_SECRET,
  })
  await start(port, [`--static-auth-secret=${TURN_SECRET}`])

  describe('a relay by deploy/coturn.conf', () => {
    it('answers who asks for their own address', async () => {
      const { stun } = await serversOf(world)
      const client = createTurnClient(stun)
      expect(await client.seenAs()).toBe(`127.0.0.1:${client.port()}`)
    })

    it('is had by who is inside, with what Parley tells them', async () => {
      const room = newRoom()
      for (const name of ['Ada', 'Bob']) {
        const { turn, credentials } = await serversOf(world, room, name)
        const client = createTurnClient(turn)
        const relay = await client.allocate(credentials)
        expect(relay).toMatchObject({ code: 200, relayed: expect.stringMatching(/^127\.0\.0\.1:/), lifetime_s: 600 })
        expect(await client.refresh()).toEqual({ code: 200, lifetime_s: 600 })
      }
    })

    it('is had for the hour that Parley says, and not afterwards', async () => {
      const toldAgo = async (seconds: number) => {
        world.clock.advance(-seconds)
        const { turn, credentials } = await serversOf(world)
        world.clock.advance(seconds)
        return (await createTurnClient(turn).allocate(credentials)).code
      }
      expect(await toldAgo(3400)).toBe(200)
      expect(await toldAgo(3601)).toBe(401)
    })

    it('is had by nobody who was not told: without a password, with a guessed one, or one of another name', async () => {
      const { turn, credentials } = await serversOf(world)
      const another = await serversOf(world)
      const [expiry, id] = credentials.username.split(':')
      const later = `${Number(expiry) + 3600}:${id}`
      const codeOf = async (given?: Credentials) => (await createTurnClient(turn).allocate(given)).code
      expect(await codeOf()).toBe(401)
      expect(await codeOf(made(credentials.username, 'a guess'))).toBe(401)
      expect(await codeOf(made(credentials.username, ''))).toBe(401)
      expect(await codeOf({ ...credentials, username: later })).toBe(401)
      expect(await codeOf({ ...credentials, credential: another.credentials.credential })).toBe(401)
      expect(await codeOf(made(later, TURN_SECRET)), 'what a right secret makes of the same name').toBe(200)
    })

    it('opens no TCP connections to others', async () => {
      const { turn, credentials } = await serversOf(world)
      expect((await createTurnClient(turn).allocate(credentials, 'IPv4', 'tcp')).code).toBe(442)
    })

    it('leaves relays for others, however many somebody takes and however often they are told anew', async () => {
      const quota = Number(lines.find(line => line.startsWith('user-quota='))?.split('=')[1])
      const ada = await comeIn(world, newRoom(), 'Ada')
      const take = async (count: number) => {
        const { turn, credentials } = await askFor(ada)
        const codes: number[] = []
        for (let i = 0; i < count; i++) codes.push((await createTurnClient(turn).allocate(credentials)).code)
        return codes
      }
      const early = await take(quota / 2)
      world.clock.advance(10)
      const late = await take(quota / 2)
      expect(new Set([...early, ...late])).toEqual(new Set([200]))
      expect(await take(1)).toEqual([486])
      const bob = await serversOf(world)
      expect(await createTurnClient(bob.turn).allocate(bob.credentials)).toMatchObject({ code: 200 })
    })

    const families: Family[] = hasIPv6 ? ['IPv4', 'IPv6'] : ['IPv4']
    if (!hasIPv6) notRun('this machine has no ::1, so nothing is asked of a relay with an IPv6 address')

    describe.each(families)('with an address of %s', family => {
      it('sends to the public internet', async () => {
        const client = await relayOf(family)
        expect(await reachesOf(client, open[family])).toEqual(all(open[family], 200))
      })

      it('sends nowhere else', async () => {
        const { networks, addresses } = denied[family]
        const client = await relayOf(family)
        const closed = [...networks.flatMap(endsOf), ...addresses]
        expect(await reachesOf(client, closed)).toEqual(all(closed, 403))
      })
    })

    it('is had by nobody at all until the secret is filled in', async () => {
      const untouched = await steadyPort()
      await start(untouched, [])
      const { credentials } = await serversOf(world)
      for (const given of [credentials, made(credentials.username, ''), made(credentials.username, 'north')]) {
        const { code } = await createTurnClient(`turn:127.0.0.1:${untouched}`).allocate(given)
        expect(code).toBe(401)
      }
    })
  })

  async function relayOf(family: Family): Promise<TurnClient> {
    const { turn, credentials } = await serversOf(world)
    const client = createTurnClient(turn)
    expect(await client.allocate(credentials, family)).toMatchObject({ code: 200 })
    return client
  }
}

/** The file as it is, but where this machine is not the one that it is for: as anybody, without TLS, on one machine. */
async function start(port: number, more: string[]): Promise<void> {
  const folder = emptyFolder()
  const relays = ['127.0.0.1', ...(hasIPv6 ? ['::1'] : [])].map(address => `--relay-ip=${address}`)
  const here = [`--userdb=${join(folder, 'turndb')}`, `--pidfile=${join(folder, 'pid')}`, '--no-tls']
  const where = ['--listening-ip=127.0.0.1', `--listening-port=${port}`, ...relays, '--realm=turn.parley.test']
  const coturn = run('turnserver', ['-c', file, ...where, ...here, ...more], folder, {})
  try {
    await createTurnClient(`stun:127.0.0.1:${port}`).seenAs()
  } catch (cause) {
    throw new Error(`coturn does not answer:\n${coturn.output()}`, { cause })
  }
}

async function askFor({ call, connection }: Pick<Awaited<ReturnType<typeof comeIn>>, 'call' | 'connection'>) {
  const { status, body } = await call('GET', `/api/rtc/ice-servers?connection=${connection}`)
  expect(status, JSON.stringify(body)).toBe(200)
  const [stun, turn] = body.ice_servers
  const { username, credential } = turn
  return { stun: stun.urls[0] as string, turn: turn.urls[0] as string, credentials: { username, credential } }
}

/** What somebody is told who comes in. */
const serversOf = async (world: World, room = newRoom(), name = 'Ada') => askFor(await comeIn(world, room, name))

const made = (username: string, secret: string): Credentials => ({
  username,
  credential: createHmac('sha1', secret).update(username).digest('base64'),
})

async function reachesOf(client: TurnClient, addresses: string[]) {
  const found: { [address: string]: unknown } = {}
  for (const address of addresses) found[address] = await client.mayReach(address)
  return found
}

const all = (addresses: string[], code: number) =>
  Object.fromEntries(addresses.map(address => [address, { permission: code, channel: code }]))
