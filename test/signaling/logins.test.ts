import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { linkToken } from '../../src/features/invitations/letters.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { engine } from '../support/database.ts'
import { createWorld, type Held, PASSWORD, type Person } from '../support/world.ts'
import { everythingOf, inboxOf, join, untilHeld, wakingsOf } from './people.ts'
import { word, words } from './room.ts'

const world = await createWorld()
const nodeTwo = await world.startNode()
const owner = await world.make.user()
const rounds = Array.from({ length: 50 }, (_, round) => round)

/** The same person, logged in once more. */
async function logIn({ user }: Person): Promise<Person> {
  const from = { network: 'test', user_agent: 'test' }
  return world.make.caller(
    await world.app.accounts.logIn(DEFAULT_TENANT, { email: user.email, password: PASSWORD }, from),
  )
}

const bearerOf = ({ tokens }: Person) => ({ headers: { Authorization: `Bearer ${tokens.access_token}` } })

/** A meeting with its owner inside, and somebody who has come with a first login of theirs. */
async function twoInside() {
  const held = await world.make.meeting({}, owner)
  const user = await world.make.user()
  await world.make.invitee(held, { user })
  const host = await join(owner, held.at)
  const first = await logIn(user)
  const seat = await join(first, held.at)
  return { ...held, user, host, first, seat }
}

const wordsFrom = async ({ read }: Parameters<typeof everythingOf>[0]) =>
  (await everythingOf({ read })).signals.filter(({ type }) => type === 'custom.word').map(({ payload }) => payload)

interface Reply {
  status: number
  body: { code?: string; reason?: string }
}
const told = ({ status, body }: Reply) => [status, body.code]

/** Both at the same moment: now the one is a little earlier, now the other. */
async function apart<One, Other>(round: number, one: () => Promise<One>, other: () => Promise<Other>) {
  const after = async (turns: number) => {
    for (let turn = 0; turn < turns; turn++) await world.db.raw('SELECT 1')
  }
  return Promise.all([after(round % 14).then(one), after(6).then(other)])
}

/** No connection of the meeting is open that is used with a login which has ended. */
async function expectNoneOfEndedLogins({ meeting }: Pick<Held, 'meeting'>): Promise<void> {
  const ended = world.db('logins').whereNotNull('ended_at').select('id')
  const open = world.db('rtc_connections').where({ meeting_id: meeting.id }).whereNull('closed_at')
  expect(await open.whereIn('token_family', ended).pluck('id')).toEqual([])
}

describe('a login that has ended', () => {
  const ends: { [how: string]: (two: Awaited<ReturnType<typeof twoInside>>) => Promise<Reply> } = {
    'by logging out': ({ first }) => first.post('/api/auth/logout'),
    'by another login of theirs': async ({ first, user }) => {
      const { id } = (await first.get('/api/auth/logins')).body.data.find(
        (login: { current: boolean }) => login.current,
      )
      return user.delete(`/api/auth/logins/${id}`)
    },
    'by a changed password': ({ user }) =>
      user.post('/api/auth/password', { current_password: PASSWORD, new_password: `${PASSWORD} 2` }),
    'by a refresh token that was used twice': async ({ first }) => {
      const { refresh_token } = first.tokens
      await world.anyone.post('/api/auth/refresh', { refresh_token })
      return world.anyone.post('/api/auth/refresh', { refresh_token })
    },
  }

  it.each(Object.entries(ends))('writes and reads nothing more, from the next request on: %s', async (_, end) => {
    const two = await twoInside()
    const { seat, host } = two
    await seat.send({ first_seq: 1, ...word(host, 'before') })
    await seat.read()
    await end(two)
    const { connection, call } = seat
    const replies = [
      await seat.send(word(host, 'after')),
      await seat.send({ first_seq: 2, ...word(host, 'after') }),
      await seat.ack(0),
      await seat.read(),
      await seat.resume(seat.resume_token),
      await call('POST', '/api/rtc/tickets', { connection }),
      await call('GET', `/api/rtc/ice-servers?connection=${connection}`),
      await call('POST', '/api/rtc/signals', word(host, 'after')),
    ]
    expect(await wordsFrom(host), 'nothing was stored').toEqual(['before'])
    expect(replies.map(told)).toEqual(replies.map(() => [401, 'unauthenticated']))
    await expectNoneOfEndedLogins(two)
  })

  it('ends the poll that it holds, at once, and the others are told that they left', async () => {
    const { seat, host, first } = await twoInside()
    const poll = seat.poll({ after: (await seat.read()).body.cursor })
    await untilHeld(world)
    const before = await wakingsOf(world)
    await first.post('/api/auth/logout')
    expect([401, 410]).toContain((await poll).status)
    expect((await wakingsOf(world)).sweep).toBe(before.sweep)
    const last = (await everythingOf(host)).signals.at(-1)
    expect(last).toMatchObject({ type: 'peer_left', payload: { connection: seat.connection, reason: 'left' } })
  })

  it('writes nothing by another node either, and its poll there ends soon', async () => {
    const { seat, host, first } = await twoInside()
    const there = inboxOf(nodeTwo.anyone.with(bearerOf(first)), seat.connection)
    expect((await there.send(word(host, 'before'))).status).toBe(200)
    const poll = there.poll({ after: (await there.read()).body.cursor })
    await untilHeld(nodeTwo)
    const before = await wakingsOf(nodeTwo)
    await first.post('/api/auth/logout')
    const sent = await there.send(word(host, 'after'))
    expect([401, 410]).toContain(sent.status)
    expect(await wordsFrom(host)).toEqual(['before'])
    const ended = await Promise.race([poll, pause(3000, { status: 0 })])
    expect([401, 410]).toContain(ended.status)
    if (engine === 'postgres') expect((await wakingsOf(nodeTwo)).sweep).toBe(before.sweep)
  })

  it('and a join at the same moment, fifty times, leave nobody inside with it', async () => {
    const held = await world.make.meeting({}, owner)
    const user = await world.make.user()
    await world.make.invitee(held, { user })
    const host = await join(owner, held.at)
    for (const round of rounds) {
      const login = await logIn(user)
      const enter = () => login.post(held.at('/join'))
      const leave = () => login.post('/api/auth/logout')
      const [joined] = await apart(round, enter, leave)
      expect([201, 401]).toContain(joined.status)
      if (joined.status === 401) continue
      const { connection } = joined.body
      // As soon as somebody sends to it, this node has it in memory.
      await host.send(word({ connection: connection.id }, round))
      expect(told(await inboxOf(login, connection.id).send(word(host, round)))).toEqual([401, 'unauthenticated'])
    }
    await expectNoneOfEndedLogins(held)
  })
})

describe('two logins of one person', () => {
  it('may use the same connection, one after the other, and lose nothing by it', async () => {
    const { user, seat, host } = await twoInside()
    const second = inboxOf(user, seat.connection)
    expect((await seat.send({ first_seq: 1, ...word(host, 1) })).status).toBe(200)
    expect((await second.send({ first_seq: 2, ...word(host, 2) })).status).toBe(200)
    expect((await seat.send({ first_seq: 3, ...word(host, 3) })).status).toBe(200)
    expect((await second.send({ first_seq: 3, ...word(host, 3) })).body.results).toMatchObject([
      { status: 'duplicate' },
    ])
    await host.send({ signals: words(seat, 3) })
    expect(await wordsFrom(second)).toEqual([1, 2, 3])
    expect(await wordsFrom(seat)).toEqual([1, 2, 3])
    expect(await wordsFrom(host)).toEqual([1, 2, 3])
  })

  it('share its fate: it goes with the login that used it last, and with no other', async () => {
    const two = await twoInside()
    const { user, first, seat, host } = two
    const second = inboxOf(user, seat.connection)
    await second.send(word(host, 'adopted'))
    await first.post('/api/auth/logout')
    expect(told(await seat.send(word(host, 'no more')))).toEqual([401, 'unauthenticated'])
    expect((await second.send(word(host, 'still here'))).status).toBe(200)
    await user.post('/api/auth/logout')
    expect(await wordsFrom(host)).toEqual(['adopted', 'still here'])
    expect((await everythingOf(host)).signals.at(-1)?.type).toBe('peer_left')
    await expectNoneOfEndedLogins(two)
  })

  it('may resume it: from then on it is the other’s', async () => {
    const { user, first, seat, host } = await twoInside()
    const second = inboxOf(user, seat.connection)
    expect((await second.resume(seat.resume_token)).status).toBe(200)
    await first.post('/api/auth/logout')
    expect((await second.send(word(host, 'here'))).status).toBe(200)
  })

  it('may both write at once: each is answered, and what is answered with 200 is delivered once', async () => {
    const { user, seat, host } = await twoInside()
    const second = inboxOf(user, seat.connection)
    const sends = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? seat : second).send(word(host, i)))
    const replies = await Promise.all(sends)
    for (const { status, headers } of replies) {
      expect([200, 503]).toContain(status)
      if (status === 503) expect(headers['retry-after']).toMatch(/^\d+$/)
    }
    const taken = replies.flatMap(({ status }, i) => (status === 200 ? [i] : []))
    expect(taken.length).toBeGreaterThan(0)
    expect((await wordsFrom(host)).sort((a, b) => a - b)).toEqual(taken)
    expect((await seat.send(word(host, 'on'))).status).toBe(200)
  })

  it('and the end of one of them at the same moment, fifty times, leave it to a login that stands, or closed', async () => {
    const held = await world.make.meeting({}, owner)
    const user = await world.make.user()
    await world.make.invitee(held, { user })
    const host = await join(owner, held.at)
    for (const round of rounds) {
      const seat = await join(user, held.at)
      const login = await logIn(user)
      const adopt = () => inboxOf(login, seat.connection).send(word(host, round))
      const leave = () => login.post('/api/auth/logout')
      const [sent] = await apart(round, adopt, leave)
      expect([200, 401, 410]).toContain(sent.status)
      await expectNoneOfEndedLogins(held)
      const after = await seat.send(word(host, 'after'))
      expect([200, 410]).toContain(after.status)
      await user.post(held.at('/leave'), { connection: seat.connection })
      await host.ack((await host.read({ limit: 100 })).body.cursor)
    }
  })
})

describe('a guest’s token', () => {
  it('does what an account’s does, in its one meeting', async () => {
    const held = await world.make.meeting({}, owner)
    const host = await join(owner, held.at)
    const guest = await world.make.guest(held)
    expect(told(await guest.post('/api/rtc/signals', word(host, 'from the lobby')))).toEqual([409, 'not_joined'])
    await owner.post(held.at('/lobby/admit-all'))
    const seat = await join(guest, held.at)
    expect((await seat.send(word(host, 'hello'))).status).toBe(200)
    await host.send(word(seat, 'welcome'))
    expect(await wordsFrom(seat)).toEqual(['welcome'])
    const { cursor } = (await seat.read()).body
    expect((await seat.ack(cursor)).body.acked_through).toBe(cursor)
    expect((await seat.resume(seat.resume_token, cursor)).status).toBe(200)
  })

  it('is dead with the invitation that it came by, and so is its connection', async () => {
    const held = await world.make.meeting({}, owner)
    const host = await join(owner, held.at)
    const { body } = await owner.post(held.at('/invitations'), { invitees: [{ email: 'guest@example.com' }] })
    const [invitation] = body.data
    const link = linkToken(world.key, { id: invitation.id, times_sent: 1 })
    const { participant_token } = (await world.anyone.post(`/api/invitations/link/${link}/accept`)).body
    const guest = world.anyone.with({ headers: { Authorization: `Bearer ${participant_token}` } })
    const seat = await join(guest, held.at)
    expect((await seat.send(word(host, 'before'))).status).toBe(200)
    expect((await owner.delete(`/api/invitations/${invitation.id}`)).status).toBe(204)
    for (let i = 0; i < 2; i++) expect([401, 410]).toContain((await seat.send(word(host, 'after'))).status)
    await owner.post(held.at('/invitations'), { invitees: [{ email: 'guest@example.com' }] })
    expect([401, 410]).toContain((await seat.send(word(host, 'after'))).status)
    expect(await wordsFrom(host)).toEqual(['before'])
  })
})

describe('a call that names no connection', () => {
  const calls = ({ call }: Person, { connection }: { connection: string }) => [
    call('POST', '/api/rtc/signals', word({ connection }, 'unnamed')),
    call('GET', '/api/rtc/inbox'),
    call('POST', '/api/rtc/ack', { up_to: 0 }),
    call('POST', '/api/rtc/tickets', {}),
    call('GET', '/api/rtc/ice-servers'),
  ]
  const all = async (person: Person, to: { connection: string }) => (await Promise.all(calls(person, to))).map(told)

  it('means the only one that there is, and is never guessed where there are several, or none', async () => {
    const held = await world.make.meeting({}, owner)
    const other = await world.make.meeting({}, owner)
    const host = await join(owner, held.at)
    const person = await world.make.user()
    for (const meeting of [held, other]) await world.make.invitee(meeting, { user: person })
    expect(await all(person, host)).toEqual(Array(5).fill([409, 'not_joined']))

    const here = await join(person, held.at)
    expect((await all(person, host)).map(([status]) => status)).toEqual([200, 200, 200, 201, 200])
    expect((await everythingOf(host)).signals.at(-1)?.from).toMatchObject({ connection: here.connection })

    const there = await join(person, other.at)
    expect(await all(person, host), 'in another meeting, too').toEqual(Array(5).fill([409, 'connection_required']))
    await person.post(other.at('/leave'))
    expect((await all(person, host)).map(([status]) => status)).toEqual([200, 200, 200, 201, 200])
    expect((await everythingOf(host)).signals.at(-1)?.from).toMatchObject({ connection: here.connection })

    await person.post(held.at('/leave'))
    expect(await all(person, host)).toEqual(Array(5).fill([409, 'not_joined']))
    expect((await there.read()).status).toBe(410)
  })
})
