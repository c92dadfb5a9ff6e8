import { describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { mostMessages } from '../../src/features/chat/schema.ts'
import { comeIn, type Insider, meet, newRoom, word } from '../signaling/room.ts'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()

const write = (who: Insider, body: object) => who.call('POST', who.at('/messages'), body)
const listAs = (who: Insider, query = '') => who.call('GET', who.at(`/messages${query}`))

async function callIn({ at }: Held, person: { post(path: string): Promise<{ status: number }> }) {
  expect((await person.post(at('/join'))).status).toBe(201)
}

describe('A message', () => {
  it('is kept, and is told to everybody inside, in one order with the signals', async () => {
    const { ada, bob } = await meet(world)
    await ada.send({ signals: [word(bob, 'before')] })
    const posted = await write(ada, { text: 'Hello, Bob!' })
    expect(posted.status).toBe(201)
    expect(posted.body).toMatchObject({
      number: 1,
      text: 'Hello, Bob!',
      display_name: 'Ada',
      sent_at: world.clock.now(),
    })
    await ada.send({ signals: [word(bob, 'after')] })

    const signals = await bob.readAll()
    const last = signals.slice(-3)
    expect(last.map(({ type }) => type)).toEqual(['custom.word', 'chat', 'custom.word'])
    expect(last[1]?.payload).toEqual(posted.body)
    expect(last[1]?.from).toMatchObject({ connection: ada.connection, participant: ada.participant.id })
    const own = (await ada.readAll()).filter(({ type }) => type === 'chat')
    expect(own.map(({ payload }) => payload.id)).toEqual([posted.body.id])
    expect((await listAs(bob)).body).toEqual({ data: [posted.body], next_cursor: null })
  })

  it('is plain text, which nobody interprets', async () => {
    const { ada, bob } = await meet(world)
    const text = '<img src=x onerror=alert(1)> & "quotes"\n\tand a second line'
    expect((await write(ada, { text })).status).toBe(201)
    expect((await listAs(bob)).body.data[0].text).toBe(text)
  })

  it('has one kind of line break, whatever was typed on', async () => {
    const { ada } = await meet(world)
    expect((await write(ada, { text: 'one\r\ntwo\rthree\n' })).body.text).toBe('one\ntwo\nthree')
  })

  it.each([
    ['nothing', '   '],
    ['too much', 'x'.repeat(2001)],
    ['a bell', 'ring\u0007'],
  ])('is not %s', async (_, text) => {
    const { ada } = await meet(world)
    expect((await write(ada, { text })).status).toBe(422)
    expect((await listAs(ada)).body.data).toEqual([])
  })

  it('has a number of its own, without a hole, however many write at once', async () => {
    const { ada, bob } = await meet(world)
    const writing = Array.from({ length: 20 }, (_, i) => write(i % 2 ? ada : bob, { text: `Message ${i}` }))
    const numbers = (await Promise.all(writing)).map(({ body }) => body.number)
    const all = Array.from({ length: 20 }, (_, i) => i + 1)
    expect([...numbers].sort((a, b) => a - b)).toEqual(all)

    const told = (await ada.readAll()).filter(({ type }) => type === 'chat')
    expect(told.map(({ payload }) => payload.number)).toEqual(all)
    const first = (await listAs(ada, '?limit=15')).body
    const second = (await listAs(ada, `?limit=15&cursor=${first.next_cursor}`)).body
    expect([...first.data, ...second.data].map(({ number }) => number)).toEqual(all)
    expect(second.next_cursor).toBeNull()
  })

  it('is not written twice by who repeats it with the same key', async () => {
    const { owner, ...held } = await world.make.meeting()
    await callIn({ owner, ...held }, owner)
    const again = () => owner.post(held.at('/messages'), { text: 'Once' }, { 'Idempotency-Key': 'a-key' })
    const [first, second] = [await again(), await again()]
    expect(second.body).toEqual(first.body)
    expect(second.headers['idempotency-replayed']).toBe('true')
    expect((await owner.get(held.at('/messages'))).body.data).toHaveLength(1)
  })

  it('is a sign of life of whoever writes it', async () => {
    const { ada, bob } = await meet(world)
    for (let i = 0; i < 4; i++) {
      world.clock.advance(20)
      await write(ada, { text: `${i}` })
      await bob.read()
      await world.app.signaling.start(10_000)() // and what was heard is written
      await world.app.sweeper.tick()
    }
    expect((await write(ada, { text: 'still here' })).status).toBe(201)
  })

  it('comes from the connection that is named, if it is the author’s own', async () => {
    const { ada, bob } = await meet(world)
    expect((await write(ada, { text: 'Mine', connection: ada.connection })).status).toBe(201)
    expect((await write(ada, { text: 'Not mine', connection: bob.connection })).status).toBe(404)
    expect((await listAs(ada)).body.data).toHaveLength(1)
  })

  it('is refused, and told to nobody, when the session has as many as it may', async () => {
    const { ada, bob } = await meet(world)
    const { body: first } = await write(ada, { text: 'The first' })
    await inTransaction(world.db, async db => {
      const number = mostMessages - 1
      await db('messages').where({ id: first.id }).update({ number })
    })
    expect((await write(ada, { text: 'The last' })).body.number).toBe(mostMessages)
    const { status, body } = await write(bob, { text: 'One more' })
    expect([status, body.code]).toEqual([409, 'chat_full'])
    expect((await listAs(ada)).body.data).toHaveLength(2)
    expect((await bob.readAll()).filter(({ type }) => type === 'chat')).toHaveLength(2)
  })

  it('is recorded by ids alone', async () => {
    const { ada } = await meet(world)
    const { body } = await write(ada, { text: 'A secret' })
    const recorded = await world.db('events').where({ meeting_id: body.meeting_id, type: 'message.posted' })
    expect(recorded).toHaveLength(1)
    const text = JSON.stringify(recorded)
    expect(text).toContain(body.id)
    expect(text).not.toContain('secret')
  })

  it('is limited, for one person', async () => {
    const limited = await createWorld({ RATE_LIMITS: 'on' })
    const { owner, ...held } = await limited.make.meeting()
    await callIn({ owner, ...held }, owner)
    const replies = []
    for (let i = 0; i < 21; i++) replies.push(await owner.post(held.at('/messages'), { text: `${i}` }))
    expect(replies.map(({ status }) => status)).toEqual([...Array(20).fill(201), 429])
    expect(Number(replies.at(-1)?.headers['retry-after'])).toBeGreaterThan(0)
    limited.clock.advance(3)
    expect((await owner.post(held.at('/messages'), { text: 'later' })).status).toBe(201)
  })
})

describe('Who may write', () => {
  it('is who is inside, and not who has left', async () => {
    const { ada, bob } = await meet(world)
    await bob.leave()
    const { status, body } = await write(bob, { text: 'Too late' })
    expect([status, body.code]).toEqual([409, 'not_joined'])
    expect((await listAs(ada)).body.data).toEqual([])
  })

  it('is a host alone where the meeting has it so, and nobody where it is off', async () => {
    const held = await world.make.meeting({ chat: 'hosts' })
    const invitee = await world.make.invitee(held)
    for (const person of [held.owner, invitee]) await callIn(held, person)
    expect((await held.owner.post(held.at('/messages'), { text: 'News' })).status).toBe(201)
    const refused = await invitee.post(held.at('/messages'), { text: 'A question' })
    expect([refused.status, refused.body.code]).toEqual([403, 'chat_off'])

    const silent = await world.make.meeting({ chat: 'off' })
    await callIn(silent, silent.owner)
    expect((await silent.owner.post(silent.at('/messages'), { text: 'Hm' })).status).toBe(403)
  })

  it('is a viewer, too, in a webinar', async () => {
    const held = await world.make.meeting({ type: 'webinar', lobby: false })
    const viewer = await world.make.invitee(held, { role: 'viewer' })
    for (const person of [held.owner, viewer]) await callIn(held, person)
    expect((await viewer.post(held.at('/messages'), { text: 'A question' })).status).toBe(201)
  })
})

describe('What was written', () => {
  it('can be read later by who was there, and by hosts, and by nobody else', async () => {
    const held = await world.make.meeting({ kind: 'standing' })
    const [there, absent] = [await world.make.invitee(held), await world.make.invitee(held)]
    for (const person of [held.owner, there]) await callIn(held, person)
    await there.post(held.at('/messages'), { text: 'I was here' })
    await held.owner.post(held.at('/end'))

    for (const person of [held.owner, there]) {
      expect((await person.get(held.at('/messages'))).body.data).toMatchObject([{ text: 'I was here' }])
    }
    const refused = await absent.get(held.at('/messages'))
    expect([refused.status, refused.body.code]).toEqual([403, 'not_there'])
  })

  it('can be read by a guest who was there, also once the session has ended', async () => {
    const held = await world.make.meeting({ kind: 'standing' })
    await callIn(held, held.owner)
    const [inside, outside] = [await world.make.guest(held, 'Inside'), await world.make.guest(held, 'Outside')]
    await held.owner.post(held.at(`/participants/${inside.participant.id}/admit`))
    await callIn(held, inside)
    await held.owner.post(held.at('/messages'), { text: 'Hello' })
    await held.owner.post(held.at('/end'))
    expect((await inside.get(held.at('/messages'))).body.data).toMatchObject([{ text: 'Hello' }])
    expect((await outside.get(held.at('/messages'))).body.code).toBe('not_admitted')
  })

  it('belongs to its session: the next one begins with nothing', async () => {
    const held = await world.make.meeting({ kind: 'standing' })
    await callIn(held, held.owner)
    const first = (await held.owner.post(held.at('/messages'), { text: 'The first' })).body
    await held.owner.post(held.at('/end'))
    world.clock.advance(60)
    await callIn(held, held.owner)
    expect((await held.owner.get(held.at('/messages'))).body.data).toEqual([])
    const before = await held.owner.get(held.at(`/messages?session_id=${first.session_id}`))
    expect(before.body.data).toEqual([first])
    expect((await held.owner.get(held.at('/messages?session_id=ses_none'))).status).toBe(409)
  })

  it('is not for who was shown out, from that moment on', async () => {
    const room = newRoom()
    const [ada, bob] = [await comeIn(world, room, 'Ada'), await comeIn(world, room, 'Bob')]
    await write(ada, { text: 'Before' })
    expect((await listAs(bob)).status).toBe(200)
    await ada.call('POST', ada.at(`/participants/${bob.participant.id}/remove`))
    await write(ada, { text: 'After' })
    expect((await listAs(bob)).status).toBe(403)
    await ada.call('POST', ada.at(`/participants/${bob.participant.id}/remove`), { ban: true })
    expect((await listAs(bob)).body.code).toBe('banned')
  })

  it('goes with the meeting', async () => {
    const held = await world.make.meeting()
    await callIn(held, held.owner)
    await held.owner.post(held.at('/messages'), { text: 'Gone soon' })
    expect((await held.owner.delete(held.at())).status).toBe(204)
    expect(await world.db('messages').where({ meeting_id: held.meeting.id })).toEqual([])
  })
})
