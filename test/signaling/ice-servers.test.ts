import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { inboxOf } from './people.ts'
import { comeIn, type Insider, meet, newRoom } from './room.ts'

const TURN_SECRET = 'the secret of the TURN server: 0123456789'
const turn_urls = ['turn:turn.example.com:3478?transport=udp', 'turns:turn.example.com:5349']
const world = await createWorld({
  STUN_URLS: 'stun:stun.example.com:3478',
  TURN_URLS: turn_urls.join(','),
  TURN_SECRET,
})

const serversOf = async ({ call, connection }: Pick<Insider, 'call' | 'connection'>) =>
  call('GET', `/api/rtc/ice-servers?connection=${connection}`)

interface Server {
  urls: string[]
  username?: string
  credential?: string
}

/** As coturn checks it, with nothing but the name and the secret that it shares. */
function expectGood(servers: Server[], id: string): void {
  const [stun, turn, ...more] = servers
  expect(more).toEqual([])
  expect(stun).toEqual({ urls: ['stun:stun.example.com:3478'] })
  expect(turn?.urls).toEqual(turn_urls)
  const [expiry, whose] = (turn?.username ?? '').split(':')
  expect(turn?.credential).toBe(
    createHmac('sha1', TURN_SECRET)
      .update(turn?.username ?? '')
      .digest('base64'),
  )
  expect(whose).toBe(id)
  const seconds = Number(expiry) - world.clock.millis() / 1000
  expect(seconds).toBeGreaterThan(60)
  expect(seconds).toBeLessThanOrEqual(3600)
}

describe('the servers that help two to find each other', () => {
  it('are told to who is inside, with a password of their own that lasts an hour at most', async () => {
    const { ada, bob } = await meet(world)
    const [hers, his] = [await serversOf(ada), await serversOf(bob)]
    expect([hers.status, his.status]).toEqual([200, 200])
    expectGood(hers.body.ice_servers, ada.participant.id)
    expectGood(his.body.ice_servers, bob.participant.id)
    expect(hers.body.ice_servers[1].credential).not.toBe(his.body.ice_servers[1].credential)
  })

  it('are told with the join, and with a resume, and later with a later expiry', async () => {
    const room = newRoom()
    const { body } = await world.anyone.post(`/api/rooms/${room}/enter`, { display_name: 'Ada' })
    expectGood(body.ice_servers, body.participant.id)
    const bob = await comeIn(world, room, 'Bob')
    world.clock.advance(30)
    const resumed = await inboxOf(bob, bob.connection).resume(bob.resume_token)
    expectGood(resumed.body.ice_servers, bob.participant.id)
    expectGood((await serversOf(bob)).body.ice_servers, bob.participant.id)
  })

  it('are told to nobody else: not to who has left, waits, or was never here', async () => {
    const { ada, bob } = await meet(world)
    await bob.leave()
    expect((await serversOf(bob)).status).toBe(410)
    expect((await serversOf({ ...bob, connection: ada.connection })).status).toBe(404)
    expect((await bob.call('GET', '/api/rtc/ice-servers')).body.code).toBe('not_joined')
    const guest = await world.make.guest(await world.make.meeting())
    expect((await guest.get('/api/rtc/ice-servers')).body.code).toBe('not_joined')
    expect((await world.anyone.get('/api/rtc/ice-servers')).status).toBe(401)
  })

  it('are none where there are none', async () => {
    const plain = await createWorld()
    const { ada } = await meet(plain)
    expect((await serversOf(ada)).body).toEqual({ ice_servers: [] })
  })
})
