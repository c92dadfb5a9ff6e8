import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { inboxOf, untilHeld } from './people.ts'
import { comeIn, type Insider, meet, word, words } from './room.ts'

const world = await createWorld()

const resume = (who: Insider, resume_token: string, cursor = 0) =>
  inboxOf(who, who.connection).resume(resume_token, cursor)

async function resumed(who: Insider, token: string, cursor = 0) {
  const { status, body } = await resume(who, token, cursor)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}

const statusOf = async (reply: Promise<{ status: number }>) => (await reply).status

describe('the resume token', () => {
  it('is told to nobody else, and is not the id that everybody sees', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    const { connection } = await resumed(bob, bob.resume_token)
    const heard = JSON.stringify([
      carl.roster,
      await ada.readAll(),
      await carl.readAll(),
      (await resumed(carl, carl.resume_token)).roster,
      (await ada.call('GET', ada.at('/participants'))).body,
      (await ada.call('GET', ada.at('/attendance'))).body,
    ])
    expect(heard).toContain(bob.connection)
    for (const token of [bob.resume_token, connection.resume_token]) {
      expect(token.length).toBeGreaterThan(20)
      expect(heard).not.toContain(token)
    }
    expect(await statusOf(resume(bob, bob.connection))).toBe(404)
  })

  it('is refused when it is wrong, in the words in which an unknown connection is', async () => {
    const { ada, bob } = await meet(world)
    const { request_id: _, ...unknown } = (await inboxOf(bob, 'con_made-up').resume('made-up')).body
    for (const token of ['made-up', ada.resume_token, bob.resume_token.slice(1), `${bob.resume_token}a`]) {
      const { status, body } = await resume(bob, token)
      expect(status).toBe(404)
      expect(body).toMatchObject(unknown)
    }
    expect(await statusOf(resume(bob, bob.resume_token))).toBe(200)
  })

  it('is good for nobody but the owner of the connection', async () => {
    const { ada, bob } = await meet(world)
    expect(await statusOf(inboxOf(ada, bob.connection).resume(bob.resume_token))).toBe(404)
    expect(await statusOf(inboxOf(world.anyone, bob.connection).resume(bob.resume_token))).toBe(401)
  })

  it('is answered with what I may do by now', async () => {
    const { ada, bob } = await meet(world)
    const before = await resumed(bob, bob.resume_token)
    expect(before).toMatchObject({ role: 'participant', permissions: { send: true, record: false } })
    await ada.call('POST', ada.at(`/participants/${bob.participant.id}/role`), { role: 'viewer' })
    const after = await resumed(bob, before.connection.resume_token)
    expect(after).toMatchObject({ role: 'viewer', permissions: { send: false, screen_share: false, chat: true } })
  })

  it('is another after each time; the former one stays good until the new one is used', async () => {
    const { bob } = await meet(world)
    const first = (await resumed(bob, bob.resume_token)).connection.resume_token
    expect(first).not.toBe(bob.resume_token)
    // The answer was lost, and again: it is tried with what is known.
    const second = (await resumed(bob, bob.resume_token)).connection.resume_token
    const third = (await resumed(bob, bob.resume_token)).connection.resume_token
    expect(new Set([bob.resume_token, first, second, third]).size).toBe(4)
    for (const lost of [first, second]) expect(await statusOf(resume(bob, lost)), 'nobody ever had it').toBe(404)

    const fourth = (await resumed(bob, third)).connection.resume_token
    expect(await statusOf(resume(bob, bob.resume_token)), 'its successor has been used').toBe(404)
    await resumed(bob, third)
    expect(await statusOf(resume(bob, fourth))).toBe(404)
  })

  it('leaves a way on when it is used twice at the same moment', async () => {
    const { bob } = await meet(world)
    const replies = await Promise.all([resume(bob, bob.resume_token), resume(bob, bob.resume_token)])
    expect(replies.map(({ status }) => status)).toEqual([200, 200])
    expect(await statusOf(resume(bob, bob.resume_token))).toBe(200)
  })

  it.each([
    [
      'comes in again in its place',
      201,
      ({ call, at, connection }: Insider, resume_token: string) => {
        return call('POST', at('/join'), { replaces: { connection, resume_token } })
      },
    ],
    [
      'leaves, from a page that is closing',
      200,
      ({ connection, at }: Insider, resume_token: string) => {
        return world.anyone.post(at('/leave'), { connection, resume_token })
      },
    ],
  ])('is good for who %s: the new one, and the former one if its answer was lost', async (_, expected, use) => {
    const { bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    const { connection } = await resumed(bob, bob.resume_token)
    expect(await statusOf(use(bob, connection.resume_token))).toBe(expected)
    await resumed(carl, carl.resume_token)
    expect(await statusOf(use(carl, carl.resume_token))).toBe(expected)
  })
})

describe('going on with a connection', () => {
  it('tells who is inside now, where to read on, and with which number to send', async () => {
    const { ada, bob, room } = await meet(world)
    await bob.send({ first_seq: 1, signals: words(ada, 3) })
    await ada.send({ signals: words(bob, 4) })
    const read = await bob.readAll()
    const carl = await comeIn(world, room, 'Carl')
    const cursor = read.at(-1)?.seq ?? 0
    const { roster, roster_version, inbox, gaps, ice_servers } = await resumed(bob, bob.resume_token, cursor)
    const inside = [ada, carl].map(({ connection, participant }) => ({ connection, participant: participant.id }))
    expect(roster).toMatchObject(inside)
    expect(inbox).toEqual({ cursor, acked_through: cursor - 4, pending: 5, send_next: 4 })
    expect([gaps, ice_servers]).toEqual([[], []])
    const [joined] = await bob.readAll(inbox.cursor)
    expect(joined).toMatchObject({ type: 'peer_joined', payload: { connection: carl.connection, roster_version } })
  })

  it('deletes nothing, and delivers nothing twice: what was unread is', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 3) })
    const before = await bob.readAll()
    const { inbox } = await resumed(bob, bob.resume_token, before[0]?.seq)
    expect((await bob.readAll(inbox.cursor)).map(({ seq }) => seq)).toEqual(before.slice(1).map(({ seq }) => seq))
    expect((await bob.read()).body.signals).toHaveLength(3)
  })

  it('reports what was taken back of what has not been read', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await bob.drain()
    const offer = (n: number) => word(bob, { type: 'offer', sdp: `${n}` }, { type: 'offer' })
    const { results } = (await carl.send({ signals: [offer(1), word(bob, 'stays'), offer(2), offer(3)] })).body
    const [first, , third, fourth] = results.map(
      ({ deliveries }: { deliveries: { seq: number }[] }) => deliveries[0]?.seq,
    )
    await ada.send(word(bob, 'after'))
    await carl.leave()
    const { gaps } = await resumed(bob, bob.resume_token)
    expect(gaps).toEqual([
      { from_seq: first, to_seq: first, reason: 'peer_left' },
      { from_seq: third, to_seq: fourth, reason: 'peer_left' },
    ])
    expect((await resumed(bob, bob.resume_token, fourth)).gaps).toEqual([])
  })

  it('from beyond what there is goes on at the end, and from before what is acknowledged there', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: words(bob, 4) })
    const seqs = (await bob.readAll()).map(({ seq }) => seq)
    await bob.ack({ up_to: seqs[1] ?? 0 })
    expect((await resumed(bob, bob.resume_token, 1_000_000)).inbox.cursor).toBe(seqs[3])
    const { inbox } = await resumed(bob, bob.resume_token, 0)
    expect(inbox).toMatchObject({ cursor: seqs[1], acked_through: seqs[1], pending: 2 })
    await ada.send(word(bob, 'next'))
    expect((await bob.readAll(seqs[3])).map(({ payload }) => payload)).toEqual(['next'])
  })

  it('takes the place of whoever still waits there; a wrong token does not', async () => {
    const { bob } = await meet(world)
    const { cursor } = (await bob.read()).body
    const poll = bob.poll({ after: cursor })
    await untilHeld(world)
    await resume(bob, 'wrong')
    await untilHeld(world)
    await resumed(bob, bob.resume_token, cursor)
    const { status, body } = await poll
    expect([status, body.code]).toEqual([409, 'poll_superseded'])
  })

  it('is told to nobody, and the pair keeps its polite side', async () => {
    const { ada, bob } = await meet(world)
    const [before] = bob.roster
    const { roster, roster_version } = await resumed(bob, bob.resume_token)
    expect(roster).toEqual([before])
    expect((await resumed(ada, ada.resume_token)).roster_version).toBe(roster_version)
    expect(await ada.readAll()).toEqual([])
  })

  it('is for who is inside: after leaving, there is nothing to go on with', async () => {
    const { bob } = await meet(world)
    await bob.leave()
    const { status, body } = await resume(bob, bob.resume_token)
    expect([status, body.reason]).toEqual([410, 'left'])
  })
})
