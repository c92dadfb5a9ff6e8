import { describe, expect, it } from 'vitest'
import { createWorld, type Held, PASSWORD, type Person } from '../support/world.ts'

const world = await createWorld()
const me = '/api/auth/me'

describe('my account', () => {
  it('can be changed, and says so at the next request on every node', async () => {
    const person = await world.make.user()
    const node = await world.startNode()
    const there = node.anyone.with({ headers: { Authorization: `Bearer ${person.tokens.access_token}` } })
    await there.get(me)

    const reply = await person.patch(me, { name: 'Grace', time_zone: 'America/New_York' })
    expect(reply.status).toBe(200)
    expect(reply.body).toMatchObject({ name: 'Grace', time_zone: 'America/New_York', version: 2 })
    expect((await person.get(me)).body).toEqual(reply.body)
    world.clock.advance(1)
    expect((await there.get(me)).body).toEqual(reply.body)
  })

  it('is not sent again to who has it', async () => {
    const person = await world.make.user()
    const { headers } = await person.get(me)
    expect(headers.etag).toBe('"1"')
    expect((await person.get(me, { 'If-None-Match': '"1"' })).status).toBe(304)
    await person.patch(me, { name: 'Changed' })
    expect((await person.get(me, { 'If-None-Match': '"1"' })).status).toBe(200)
  })

  it('changes only from the version that If-Match names', async () => {
    const person = await world.make.user()
    const change = (etag: string) => person.patch(me, { name: `after ${etag}` }, { 'If-Match': etag })
    expect((await change('"1"')).headers.etag).toBe('"2"')
    for (const stale of ['"1"', 'W/"2"', '"nonsense"', '2', '"1", "7"']) {
      const reply = await change(stale)
      expect(reply.status, stale).toBe(412)
      expect(reply.body.code).toBe('stale')
    }
    expect((await change('"1", "2"')).status).toBe(200)
    expect((await change('*')).status).toBe(200)
  })

  it('gives ten changes from one version at once to exactly one of them', async () => {
    const person = await world.make.user()
    const changes = Array.from({ length: 10 }, (_, i) => person.patch(me, { name: `Name ${i}` }, { 'If-Match': '"1"' }))
    const statuses = (await Promise.all(changes)).map(({ status }) => status)
    expect(statuses.filter(status => status === 200)).toHaveLength(1)
    expect(statuses.filter(status => status === 412)).toHaveLength(9)
  })

  it('loses none of ten changes at once that name no version', async () => {
    const person = await world.make.user()
    const changes = Array.from({ length: 10 }, (_, i) => person.patch(me, { name: `Name ${i}` }))
    expect((await Promise.all(changes)).every(({ status }) => status === 200)).toBe(true)
    expect((await person.get(me)).body.version).toBe(11)
  })
})

describe('my logins', () => {
  it('are listed page by page, the latest first, while more are added', async () => {
    const person = await world.make.user({ email: 'pager@example.com' })
    const logIn = async (device: string) => {
      world.clock.advance(1)
      const login = { email: 'pager@example.com', password: PASSWORD }
      await world.anyone.post('/api/auth/login', login, { 'User-Agent': device })
    }
    for (const device of ['one', 'two', 'three', 'four']) await logIn(device)

    const devices: string[] = []
    let cursor: string | null = ''
    for (let page = 0; cursor !== null; page++) {
      const reply = await person.get(`/api/auth/logins?limit=2${cursor && `&cursor=${cursor}`}`)
      expect(reply.status).toBe(200)
      devices.push(...reply.body.data.map((login: { user_agent: string }) => login.user_agent))
      cursor = reply.body.next_cursor
      if (page === 0) await logIn('late')
    }
    expect(devices).toEqual(['four', 'three', 'two', 'one', 'test'])
  })

  it('can be ended one by one, and each says whether it is this one', async () => {
    const person = await world.make.user()
    const { data } = (await person.get('/api/auth/logins')).body
    expect(data).toMatchObject([{ current: true }])
    expect((await person.delete(`/api/auth/logins/${data[0].id}`)).status).toBe(204)
    expect((await person.get(me)).status).toBe(401)
  })

  it('are nobody else’s to end', async () => {
    const person = await world.make.user()
    const stranger = await world.make.user()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    const { data } = (await person.get('/api/auth/logins')).body
    for (const other of [stranger, foreigner]) {
      expect((await other.delete(`/api/auth/logins/${data[0].id}`)).status).toBe(404)
    }
    expect((await person.delete('/api/auth/logins/lgn_unknown')).status).toBe(404)
    expect((await person.get(me)).status).toBe(200)
  })

  it.each(['nonsense', 'WzEsMl0', 'WyJcdTAwMDAiLCJhIl0', 'WyJcdWQ4MDAiLCJhIl0', 'bnVsbA'])(
    'refuse the forged cursor %s',
    async cursor => {
      const person = await world.make.user()
      const reply = await person.get(`/api/auth/logins?cursor=${cursor}`)
      expect(reply.status).toBe(422)
      expect(reply.body.errors[0].path).toBe('cursor')
    },
  )

  it.each(['limit=0', 'limit=101', 'limit=many', 'limit=', 'limit=1&limit=2', 'sort=name', '__proto__=1'])(
    'refuse the query %s',
    async query => {
      const person = await world.make.user()
      expect((await person.get(`/api/auth/logins?${query}`)).status).toBe(422)
    },
  )
})

describe('my name', () => {
  const nameIn = async ({ owner, at }: Held, { user }: Person): Promise<string> => {
    const { data } = (await owner.get(at('/participants'))).body
    return data.find(({ user_id }: { user_id: string }) => user_id === user.id)?.display_name
  }

  it('is changed in my meetings, but for those that I am inside of', async () => {
    const held = [await world.make.meeting(), await world.make.meeting()] as const
    const [away, inside] = held
    const person = await world.make.user({ name: 'Ada' })
    for (const meeting of held) await world.make.invitee(meeting, { user: person })
    await person.post(inside.at('/join'), { display_name: 'The Countess' })
    await person.patch(me, { name: 'Ada Lovelace' })
    expect(await nameIn(away, person)).toBe('Ada Lovelace')
    expect(await nameIn(inside, person)).toBe('The Countess')
    expect((await person.post(away.at('/join'))).body.participant.display_name).toBe('Ada Lovelace')
  })
})
