import { describe, expect, it } from 'vitest'
import type { Meeting } from '../../src/features/meetings/schema.ts'
import { createWorld, PASSWORD, type Person } from '../support/world.ts'

const world = await createWorld()
const { clock } = world
const list = '/api/meetings'

const titles = async (me: Person, query = '') =>
  (await me.get(`${list}?sort=title&${query}`)).body.data.map(({ title }: Meeting) => title)

/** All pages of two, with something done in between. */
async function pages(me: Person, sort: string, between: () => unknown = () => {}): Promise<Meeting[]> {
  const found: Meeting[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const reply = await me.get(`${list}?sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`)
    expect(reply.status).toBe(200)
    found.push(...reply.body.data)
    cursor = reply.body.next_cursor
    if (cursor !== null) await between()
  }
  return found
}

describe('my meetings', () => {
  it('are those that I own and those that I am invited to, and nobody else’s', async () => {
    const me = await world.make.user()
    const stranger = await world.make.user()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('abroad') })
    await world.make.meeting({ title: 'mine' }, me)
    const theirs = await world.make.meeting({ title: 'theirs' }, stranger)
    await world.make.invitee(theirs, { user: me, answer: 'none' })
    await world.make.meeting({ title: 'not for me' }, stranger)
    await world.make.meeting({ title: 'far away' }, foreigner)

    expect(await titles(me)).toEqual(['mine', 'theirs'])
    expect(await titles(me, 'role=any')).toEqual(['mine', 'theirs'])
    expect(await titles(me, 'role=owner')).toEqual(['mine'])
    expect(await titles(me, 'role=invitee')).toEqual(['theirs'])
    expect(await titles(stranger)).toEqual(['not for me', 'theirs'])
    expect(await titles(foreigner)).toEqual(['far away'])
  })

  it('are no longer those that I am not invited to any more, and again when I am', async () => {
    const held = await world.make.meeting({ title: 'theirs' })
    const invitee = await world.make.invitee(held)
    expect(await titles(invitee)).toEqual(['theirs'])
    await held.owner.delete(invitee.invited)
    expect(await titles(invitee)).toEqual([])
    await world.make.invitee(held, { user: invitee, answer: 'none' })
    expect(await titles(invitee)).toEqual(['theirs'])
  })

  it('that are not over include one that is live beyond its time, until it ends', async () => {
    const { clock, make, anyone } = await createWorld() // of its own, for its clock goes on by an hour
    const held = await make.meeting({ title: 'long', scheduled_at: clock.in(60), duration_minutes: 10 })
    await held.owner.post(held.at('/start'))
    clock.advance(3600)
    const { body } = await anyone.post('/api/auth/login', { email: held.owner.user.email, password: PASSWORD })
    const owner = make.caller(body)
    expect(await titles(owner, `from=${clock.now()}`)).toEqual(['long'])
    expect((await owner.post(held.at('/end'))).body.status).toBe('ended')
    expect(await titles(owner, `from=${clock.now()}`)).toEqual([])
    expect(await titles(owner, `from=${clock.in(-60)}`)).toEqual(['long'])
  })

  it('stay mine to see when I have said no', async () => {
    const invitee = await world.make.invitee(await world.make.meeting({ title: 'theirs' }), { answer: 'reject' })
    expect(await titles(invitee)).toEqual(['theirs'])
  })

  it('have not those whose door I have merely knocked at', async () => {
    const guest = await world.make.guest(await world.make.meeting())
    expect((await guest.get(list)).status).toBe(403)
  })

  it('can be chosen by their status', async () => {
    const me = await world.make.user()
    const make = (title: string, body: object = {}) => world.make.meeting({ title, ...body }, me)
    await make('live')
    await make('scheduled', { scheduled_at: clock.in(60) })
    const ended = await make('ended')
    await me.post(ended.at('/end'))
    const cancelled = await make('cancelled', { scheduled_at: clock.in(60) })
    await me.post(cancelled.at('/cancel'))
    for (const status of ['live', 'scheduled', 'ended', 'cancelled']) {
      expect(await titles(me, `status=${status}`)).toEqual([status])
    }
  })

  it('can be chosen by when they are: not over by then, and begun before', async () => {
    const me = await world.make.user()
    const at = (hours: number) => clock.in(hours * 3600)
    await world.make.meeting({ title: 'first', scheduled_at: at(1), duration_minutes: 60 }, me)
    await world.make.meeting({ title: 'second', scheduled_at: at(3), duration_minutes: 60 }, me)
    await world.make.meeting({ title: 'weekly', scheduled_at: at(2), recurrence: 'FREQ=WEEKLY' }, me)
    await world.make.meeting({ title: 'twice', scheduled_at: at(2), recurrence: 'FREQ=DAILY;COUNT=2' }, me)

    expect(await titles(me, `from=${at(1.5)}`)).toEqual(['first', 'second', 'twice', 'weekly'])
    expect(await titles(me, `from=${at(2)}`)).toEqual(['second', 'twice', 'weekly'])
    expect(await titles(me, `from=${at(5)}`)).toEqual(['twice', 'weekly'])
    expect(await titles(me, `from=${at(9000)}`)).toEqual(['weekly'])
    expect(await titles(me, `to=${at(1)}`)).toEqual([])
    expect(await titles(me, `to=${at(2)}`)).toEqual(['first'])
    expect(await titles(me, `from=${at(2)}&to=${at(3)}`)).toEqual(['twice', 'weekly'])
    const offset = encodeURIComponent(at(2).replace('Z', '+00:00'))
    expect(await titles(me, `from=${offset}&to=${at(3)}`)).toEqual(['twice', 'weekly'])
  })

  it('are in their new place when they have moved', async () => {
    const held = await world.make.meeting({ title: 'moving', scheduled_at: clock.in(3600) })
    const invitee = await world.make.invitee(held)
    await held.owner.patch(held.at(), { scheduled_at: clock.in(9 * 3600), title: 'moved' })
    for (const person of [held.owner, invitee]) {
      expect(await titles(person, `to=${clock.in(8 * 3600)}`)).toEqual([])
      expect(await titles(person, `from=${clock.in(9 * 3600)}`)).toEqual(['moved'])
      expect(await titles(person, 'q=moving')).toEqual([])
    }
  })

  it.each([
    ['sort=name', 'sort'],
    ['sort=', 'sort'],
    ['sort=title,created_at', 'sort'],
    ['role=host', 'role'],
    ['status=past', 'status'],
    ['from=yesterday', 'from'],
    ['q=', 'q'],
    ['owner=me', 'owner'],
    ['cursor=nonsense', 'cursor'],
    ['limit=0', 'limit'],
  ])('refuse the query %s', async (query, path) => {
    const me = await world.make.user()
    const reply = await me.get(`${list}?${query}`)
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toMatchObject([{ path }])
  })
})

describe('a search among my meetings', () => {
  const all = ['50% off', '500 off', 'a_b', 'axb', 'Crème brûlée', 'École', 'Straße 7', 'Wow!', 'Ärger', '東京']

  it.each([
    ['off', ['50% off', '500 off']],
    ['OFF', ['50% off', '500 off']],
    ['creme', ['Crème brûlée']],
    ['BRÛLÉE', ['Crème brûlée']],
    ['école', ['École']],
    ['ECOLE', ['École']],
    ['arg', ['Ärger']],
    ['äRGER', ['Ärger']],
    ['STRAßE', ['Straße 7']],
    ['東', ['東京']],
    ['%', ['50% off']],
    ['0%', ['50% off']],
    ['_', ['a_b']],
    ['a_b', ['a_b']],
    ['!', ['Wow!']],
    ["'; --", []],
    ['nothing', []],
  ])('for %s finds %j', async (q, expected) => {
    const me = await searcher
    expect((await titles(me, `q=${encodeURIComponent(q)}`)).sort()).toEqual([...expected].sort())
  })

  const searcher = world.make.user().then(async me => {
    for (const title of all) await world.make.meeting({ title }, me)
    return me
  })
})

describe('a sorted list of my meetings, two by two', () => {
  const keys = {
    scheduled_at: ({ scheduled_at, created_at }: Meeting) => scheduled_at ?? created_at,
    created_at: ({ created_at }: Meeting) => created_at,
    title: ({ title }: Meeting) => title.toLowerCase(),
  }

  /** Nine meetings, of which several are alike in each respect. */
  async function nine(): Promise<{ me: Person; meetings: Meeting[] }> {
    const me = await world.make.user()
    const meetings: Meeting[] = []
    const times = [clock.in(900), clock.in(900), clock.in(600), clock.in(900), clock.in(300)]
    const names = ['beta', 'Alpha', 'beta', 'alpha', 'beta', 'gamma', 'Beta', 'alpha', 'zeta']
    for (const [index, title] of names.entries()) {
      const timing = index < times.length ? { scheduled_at: times[index] } : {}
      meetings.push((await world.make.meeting({ title, ...timing }, me)).meeting)
      if (index % 3 === 2) clock.advance(1)
    }
    return { me, meetings }
  }

  const inOrder = (meetings: Meeting[], sort: string): string[] => {
    const key = keys[sort.replace('-', '') as keyof typeof keys]
    const rising = meetings.toSorted((one, other) => {
      const [a, b] = [`${key(one)} ${one.id}`, `${key(other)} ${other.id}`]
      return a < b ? -1 : 1
    })
    return (sort.startsWith('-') ? rising.toReversed() : rising).map(({ id }) => id)
  }

  const sorts = Object.keys(keys).flatMap(key => [key, `-${key}`])

  it.each(sorts)('by %s has each exactly once, in order', async sort => {
    const { me, meetings } = await nine()
    expect((await pages(me, sort)).map(({ id }) => id)).toEqual(inOrder(meetings, sort))
  })

  it.each(sorts)('by %s has each exactly once, while others are added', async sort => {
    const { me, meetings } = await nine()
    let added = 0
    const addTwo = async () => {
      if (added >= 6) return
      added += 2
      await world.make.meeting({ title: 'beta' }, me)
      await world.make.meeting({ title: 'alpha', scheduled_at: clock.in(500) }, me)
    }
    const ids = (await pages(me, sort, addTwo)).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const known = new Set(meetings.map(({ id }) => id))
    expect(ids.filter(id => known.has(id))).toEqual(inOrder(meetings, sort))
  })

  it('has the latest first, if nothing is said', async () => {
    const { me, meetings } = await nine()
    const { data } = (await me.get(`${list}?limit=100`)).body
    expect(data.map(({ id }: Meeting) => id)).toEqual(inOrder(meetings, '-scheduled_at'))
  })

  it('refuses the cursor of another sort only if it cannot be read as its own', async () => {
    const { me } = await nine()
    const { next_cursor } = (await me.get(`${list}?sort=title&limit=2`)).body
    expect((await me.get(`${list}?sort=title&limit=2&cursor=${next_cursor}x`)).status).toBeLessThan(500)
    expect((await me.get(`${list}?sort=title&cursor=WzEsMl0`)).status).toBe(422)
  })
})
