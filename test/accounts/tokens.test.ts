import { createSecretKey } from 'node:crypto'
import jwt, { type SignOptions } from 'jsonwebtoken'
import { describe, expect, it } from 'vitest'
import { createWorld, PASSWORD } from '../support/world.ts'

const world = await createWorld()
const me = '/api/auth/me'

describe('an access token', async () => {
  const { user, tokens } = await world.make.user()
  const claims = jwt.decode(tokens.access_token) as { [name: string]: unknown }
  const foreign = createSecretKey(Buffer.from('another secret of some thirty-two characters'))
  const now = Math.floor(world.clock.millis() / 1000)
  const sign = (changes: object, key = world.key, options: SignOptions = {}) =>
    jwt.sign({ ...claims, ...changes }, key, { algorithm: 'HS256', ...options })

  const status = async (authorization: string) => (await world.anyone.get(me, { Authorization: authorization })).status

  it('is accepted as it was signed', async () => {
    expect(await status(`Bearer ${sign({})}`)).toBe(200)
    expect(await status(`bearer ${sign({})}`)).toBe(200)
  })

  it.each([
    ['without a signature (alg none)', jwt.sign(claims, null, { algorithm: 'none' })],
    ['signed with a foreign key', sign({}, foreign)],
    ['signed with another algorithm', sign({}, world.key, { algorithm: 'HS512' })],
    ['that has expired', sign({ exp: now - 1 })],
    ['for another audience', sign({ aud: 'somebody-else' })],
    ['of another issuer', sign({ iss: 'somebody-else' })],
    ['of another kind', sign({ kind: 'participant' })],
    ['without a kind', sign({ kind: undefined })],
    ['of a login that never was', sign({ login: 'lgn_0' })],
    ["of somebody else's login", sign({ sub: 'usr_0' })],
    ['that is a refresh token', tokens.refresh_token],
    ['that is no token', 'nonsense'],
    ['that is empty', ''],
  ])('%s is refused', async (_, token) => {
    expect(await status(`Bearer ${token}`)).toBe(401)
  })

  it('is not read from anywhere but a bearer header', async () => {
    expect(await status(`Basic ${tokens.access_token}`)).toBe(401)
    expect((await world.anyone.get(me, { Cookie: `token=${tokens.access_token}` })).status).toBe(401)
  })

  it('expires after a quarter of an hour, also when it has been seen before', async () => {
    const short = await createWorld()
    const person = await short.make.user()
    expect((await person.get(me)).status).toBe(200)
    short.clock.advance(15 * 60 - 1)
    expect((await person.get(me)).status).toBe(200)
    short.clock.advance(1)
    const reply = await person.get(me)
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toBe('Bearer')
  })

  it('says nothing about its owner but ids', () => {
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'kind', 'login', 'sub'])
    expect(claims.sub).toBe(user.id)
  })
})

describe('a refresh token', () => {
  it('is good once, and answers with the next', async () => {
    const { tokens } = await world.make.user()
    const first = await world.anyone.post('/api/auth/refresh', { refresh_token: tokens.refresh_token })
    expect(first.status).toBe(200)
    expect(first.body.refresh_token).not.toBe(tokens.refresh_token)
    const second = await world.anyone.post('/api/auth/refresh', { refresh_token: first.body.refresh_token })
    expect(second.status).toBe(200)
    expect((await world.make.caller(second.body).get(me)).status).toBe(200)
  })

  it('ends its whole login when it is shown again', async () => {
    const person = await world.make.user()
    const { refresh_token } = person.tokens
    const renewed = await world.anyone.post('/api/auth/refresh', { refresh_token })
    expect((await person.get(me)).status).toBe(200)

    const reuse = await world.anyone.post('/api/auth/refresh', { refresh_token })
    expect(reuse.status).toBe(401)
    expect(reuse.body.code).toBe('refresh_token_refused')
    expect((await person.get(me)).status).toBe(401)
    expect((await world.make.caller(renewed.body).get(me)).status).toBe(401)
    const { refresh_token: next } = renewed.body
    expect((await world.anyone.post('/api/auth/refresh', { refresh_token: next })).status).toBe(401)
  })

  it('shown twenty times at once gives at most one pair, and the login is over', async () => {
    const { tokens, user } = await world.make.user()
    const refresh = () => world.anyone.post('/api/auth/refresh', { refresh_token: tokens.refresh_token })
    const replies = await Promise.all(Array.from({ length: 20 }, refresh))
    const won = replies.filter(({ status }) => status === 200)
    expect(won.length).toBeLessThanOrEqual(1)
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(20 - won.length)
    for (const { body } of won) {
      expect((await world.make.caller(body).get(me)).status).toBe(401)
      const again = await world.anyone.post('/api/auth/refresh', { refresh_token: body.refresh_token })
      expect(again.status).toBe(401)
    }
    const ended = await world.db('events').where({ type: 'login.ended' }).where('data', 'like', `%${user.id}%`)
    expect(ended).toHaveLength(1)
  })

  it('expires after a month without use', async () => {
    const short = await createWorld()
    const { tokens } = await short.make.user()
    short.clock.advance(30 * 24 * 3600)
    const reply = await short.anyone.post('/api/auth/refresh', { refresh_token: tokens.refresh_token })
    expect(reply.status).toBe(401)
  })

  it('is stored as a hash alone', async () => {
    const { tokens } = await world.make.user()
    const rows = await world.db('refresh_tokens').select()
    expect(JSON.stringify(rows)).not.toContain(tokens.refresh_token)
  })
})

describe('logging out', () => {
  it('is effective at the next request, for both tokens', async () => {
    const person = await world.make.user()
    expect((await person.get(me)).status).toBe(200)
    expect((await person.post('/api/auth/logout')).status).toBe(204)
    expect((await person.get(me)).status).toBe(401)
    const { refresh_token } = person.tokens
    expect((await world.anyone.post('/api/auth/refresh', { refresh_token })).status).toBe(401)
  })

  it('is effective on another node within a second', async () => {
    const person = await world.make.user()
    const node = await world.startNode()
    const there = node.anyone.with({ headers: { Authorization: `Bearer ${person.tokens.access_token}` } })
    expect((await there.get(me)).status).toBe(200)
    await person.post('/api/auth/logout')
    world.clock.advance(1)
    expect((await there.get(me)).status).toBe(401)
  })

  it('can end every login at once, or one by its refresh token, but nobody else’s', async () => {
    const phone = await world.make.user({ email: 'many@example.com' })
    const logIn = async () => {
      const { body } = await world.anyone.post('/api/auth/login', { email: 'many@example.com', password: PASSWORD })
      return world.make.caller(body)
    }
    const [laptop, tablet, stranger] = [await logIn(), await logIn(), await world.make.user()]
    await stranger.post('/api/auth/logout', { refresh_token: phone.tokens.refresh_token })
    expect((await phone.get(me)).status).toBe(200)

    await laptop.post('/api/auth/logout', { refresh_token: phone.tokens.refresh_token })
    expect((await phone.get(me)).status).toBe(401)
    expect((await laptop.get(me)).status).toBe(401)
    expect((await tablet.get(me)).status).toBe(200)

    const last = await logIn()
    await tablet.post('/api/auth/logout', { all: true })
    expect((await last.get(me)).status).toBe(401)
  })

  it('against a refresh at the same moment has one outcome: out', async () => {
    for (let round = 0; round < 20; round++) {
      const person = await world.make.user()
      const { refresh_token } = person.tokens
      const [, renewed] = await Promise.all([
        person.post('/api/auth/logout'),
        world.anyone.post('/api/auth/refresh', { refresh_token }),
      ])
      expect((await person.get(me)).status).toBe(401)
      if (renewed.status === 200) expect((await world.make.caller(renewed.body).get(me)).status).toBe(401)
    }
  })
})

describe('changing the password', () => {
  const change = { current_password: PASSWORD, new_password: 'a longer and better one' }

  it('ends every other login, and lets nobody in with the old one', async () => {
    const here = await world.make.user({ email: 'changer@example.com' })
    const login = { email: 'changer@example.com', password: PASSWORD }
    const there = world.make.caller((await world.anyone.post('/api/auth/login', login)).body)
    expect((await there.get(me)).status).toBe(200)

    expect((await here.post('/api/auth/password', change)).status).toBe(204)
    expect((await there.get(me)).status).toBe(401)
    expect((await here.get(me)).status).toBe(200)
    const { refresh_token } = there.tokens
    expect((await world.anyone.post('/api/auth/refresh', { refresh_token })).status).toBe(401)
    expect((await world.anyone.post('/api/auth/login', login)).status).toBe(401)
    const renewed = { ...login, password: change.new_password }
    expect((await world.anyone.post('/api/auth/login', renewed)).status).toBe(200)
  })

  it('needs the current one, and changes nothing without it', async () => {
    const person = await world.make.user()
    const reply = await person.post('/api/auth/password', { ...change, current_password: 'not the password' })
    expect(reply.status).toBe(403)
    expect(reply.body.code).toBe('wrong_password')
    expect((await person.post('/api/auth/password', change)).status).toBe(204)
  })

  it('leaves no login alive that was begun with the old one at the same moment', async () => {
    for (let round = 0; round < 8; round++) {
      const person = await world.make.user()
      const login = { email: person.user.email, password: PASSWORD }
      const [changed, ...logins] = await Promise.all([
        person.post('/api/auth/password', change),
        ...Array.from({ length: 6 }, () => world.anyone.post('/api/auth/login', login)),
      ])
      expect(changed.status).toBe(204)
      for (const { status, body } of logins) {
        if (status === 200) expect((await world.make.caller(body).get(me)).status).toBe(401)
        else expect(status).toBe(401)
      }
    }
  })

  it('twice at once succeeds once', async () => {
    const person = await world.make.user()
    const attempts = ['first new password', 'second new password'].map(new_password =>
      person.post('/api/auth/password', { ...change, new_password }),
    )
    expect((await Promise.all(attempts)).map(({ status }) => status).sort()).toEqual([204, 403])
  })
})
