import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'
import { inboxOf, join, untilHeld, wakingsOf } from './people.ts'
import { word } from './room.ts'

const world = await createWorld()
const owner = await world.make.user()
const visitor = await world.make.user()

/** A meeting with its owner and somebody invited inside, and by what way the one of them comes to be out. */
async function twoInside() {
  const held = await world.make.meeting({}, owner)
  const { invited } = await world.make.invitee(held, { user: visitor })
  const host = await join(owner, held.at)
  const guest = await join(visitor, held.at)
  return { ...held, invited, host, guest }
}
type Two = Awaited<ReturnType<typeof twoInside>>

const ways: { [reason: string]: (two: Two) => Promise<{ status: number }> } = {
  left: ({ guest, at }) => visitor.post(at('/leave'), { connection: guest.connection }),
  removed: ({ guest, at }) => owner.post(at(`/participants/${guest.participant.id}/remove`)),
  withdrawn: ({ invited }) => owner.delete(invited),
  replaced: ({ guest: { connection, resume_token }, at }) =>
    visitor.post(at('/join'), { replaces: { connection, resume_token } }),
  meeting_ended: ({ at }) => owner.post(at('/end')),
}

const told = ({ status, body }: { status: number; body: { code?: string; reason?: string } }) => [
  status,
  body.code,
  body.reason,
]
const closed = (reason: string) => [410, 'connection_closed', reason]

async function expectClosed({ guest, host }: Pick<Two, 'guest' | 'host'>, reason: string): Promise<void> {
  const { connection, call } = guest
  const replies = [
    await guest.read(),
    await guest.poll(),
    await guest.ack(0),
    await guest.send(word(host, 'too late')),
    await guest.send({ first_seq: 1, ...word(host, 'too late') }),
    await guest.resume(guest.resume_token),
    await call('POST', '/api/rtc/tickets', { connection }),
    await call('GET', `/api/rtc/ice-servers?connection=${connection}`),
  ]
  expect(replies.map(told)).toEqual(replies.map(() => closed(reason)))
}

/** Without a sweep, and long before the time of the poll is over. */
async function endsAtOnce(node: { anyone: typeof world.anyone }, poll: Promise<{ status: number; body: object }>) {
  const before = await wakingsOf(node)
  const ended = await Promise.race([poll, pause(5000, { status: 0, body: {} })])
  const { sweep, timeout } = await wakingsOf(node)
  return { ended: told(ended), swept: sweep - before.sweep, timed_out: timeout - before.timeout }
}

describe('one’s own connection that is closed', () => {
  it.each(Object.entries(ways))('says why to every call: %s', async (reason, close) => {
    const two = await twoInside()
    await two.guest.read()
    expect((await close(two)).status).toBeLessThan(300)
    await expectClosed(two, reason)
    await expectClosed(two, reason)
  })

  it.each(Object.entries(ways))('is told at once to who waits there: %s', async (reason, close) => {
    const two = await twoInside()
    const cursor = (await two.guest.read()).body.cursor
    const poll = two.guest.poll({ after: cursor })
    await untilHeld(world)
    const [outcome] = await Promise.all([endsAtOnce(world, poll), close(two)])
    expect(outcome).toEqual({ ended: closed(reason), swept: 0, timed_out: 0 })
    await untilHeld(world, 0)
  })

  it.each(Object.entries(ways))('is told soon to who waits at another node: %s', async (reason, close) => {
    const node = await nodeTwo
    const two = await twoInside()
    const cursor = (await two.guest.read()).body.cursor
    const there = inboxOf(node.anyone.with({ headers: bearerOf(visitor) }), two.guest.connection)
    const poll = there.poll({ after: cursor })
    await untilHeld(node)
    const [{ ended, swept, timed_out }] = await Promise.all([endsAtOnce(node, poll), close(two)])
    expect([ended, timed_out]).toEqual([closed(reason), 0])
    if (engine === 'postgres') expect(swept, 'a hint comes by LISTEN and NOTIFY').toBe(0)
    await untilHeld(node, 0)
    await expectClosed({ host: two.host, guest: { ...two.guest, ...there } }, reason)
  })

  it('says so, too, when its owner fell silent', async () => {
    const { make, clock, app } = await createWorld()
    const { owner, at } = await make.meeting()
    const guest = await join(owner, at)
    clock.advance(50)
    await app.sweeper.tick()
    await expectClosed({ guest, host: guest }, 'timeout')
  })

  it('says so when all logins of its owner were asked to go', async () => {
    const held = await world.make.meeting()
    const guest = await join(held.owner, held.at)
    const other = await world.make.caller(await logInAgain(held.owner))
    await held.owner.post('/api/auth/logout')
    expect(told(await inboxOf(other, guest.connection).read())).toEqual(closed('left'))
  })

  it('takes nothing that was under way: what it sent before is there, what comes after is not', async () => {
    const two = await twoInside()
    const sends = Array.from({ length: 20 }, (_, i) => two.guest.send({ first_seq: i + 1, ...word(two.host, i + 1) }))
    const [left, ...replies] = await Promise.all([ways.left?.(two), ...sends])
    expect(left?.status).toBe(200)
    const { signals } = (await two.host.read({ limit: 100 })).body
    const peers = signals.findIndex(({ type }: { type: string }) => type === 'peer_left')
    expect(peers).toBe(signals.length - 1)
    const sent = replies.filter(({ status }) => status === 200).length
    const words = signals.filter(({ type }: { type: string }) => type === 'custom.word')
    expect(words).toHaveLength(sent)
  })
})

describe('a connection of a meeting that was deleted', () => {
  it.each(['read before', 'waited for', 'never read'])('is not there any more: %s', async how => {
    const { guest, host, at } = await twoInside()
    let poll: Promise<{ status: number }> | undefined
    if (how === 'read before') await guest.read()
    if (how === 'waited for') {
      poll = guest.poll({ after: (await guest.read()).body.cursor })
      await untilHeld(world)
    }
    expect((await owner.delete(at())).status).toBe(204)
    if (poll) expect((await poll).status).toBe(410)
    for (let i = 0; i < 3; i++) {
      const replies = [
        await guest.read(),
        await guest.ack(0),
        await guest.poll({ wait: 1 }),
        await guest.send(word(host, 1)),
      ]
      const refused = replies.map(({ status }) => status === 404 || status === 410)
      expect(refused).toEqual([true, true, true, true])
    }
  })
})

const nodeTwo = world.startNode()
const bearerOf = ({ tokens }: typeof visitor) => ({ Authorization: `Bearer ${tokens.access_token}` })
const logInAgain = ({ user }: typeof visitor) =>
  world.app.accounts.logIn(
    'default',
    { email: user.email, password: 'correct horse battery' },
    { network: 'test', user_agent: 'test' },
  )
