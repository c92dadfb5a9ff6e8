import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { everythingOf, inboxOf } from './people.ts'
import { comeIn, type Insider, meet, newRoom } from './room.ts'

const world = await createWorld()

/** Of one pair, each as it sees the other; by the ids of both. */
type Views = Map<string, Map<string, boolean>>

function note(views: Views, me: string, other: string, polite: boolean): void {
  const mine = views.get(me) ?? new Map<string, boolean>()
  views.set(me, mine)
  const before = mine.get(other)
  expect(before ?? polite, `${me} towards ${other} has never changed`).toBe(polite)
  mine.set(other, polite)
}

async function readRoster(views: Views, me: Insider, roster: Insider['roster']): Promise<void> {
  for (const { connection, polite } of roster) note(views, me.connection, connection, polite)
  for (const { type, payload } of await me.readAll()) {
    const tells = type === 'peer_joined' || type === 'peer_updated'
    // Of one's own role one is told like everybody.
    if (tells && payload.connection !== me.connection) note(views, me.connection, payload.connection, payload.polite)
  }
}

describe('the polite side', () => {
  it('is one of each two, the later one, and stays so: in the roster, as told, and after a resume', async () => {
    const room = newRoom()
    const first = await comeIn(world, room, 'Person 0')
    // Most of them in the same moment.
    const others = await Promise.all(Array.from({ length: 5 }, (_, i) => comeIn(world, room, `Person ${i + 1}`)))
    const again = await first.call('POST', first.at('/join'), {}) // the same person with another device
    const last = await comeIn(world, room, 'The last')
    const people = [first, ...others, last]
    const views: Views = new Map()
    for (const { connection, polite } of again.body.roster) note(views, again.body.connection.id, connection, polite)
    for (const me of people) await readRoster(views, me, me.roster)
    const [other] = others
    await first.call('POST', first.at(`/participants/${other?.participant.id}/role`), { role: 'co_host' })
    for (const me of people) {
      const { roster } = (await inboxOf(me, me.connection).resume(me.resume_token)).body
      await readRoster(views, me, roster)
      expect(views.get(me.connection)?.size).toBe(people.length)
    }

    const ids = [...views.keys()]
    for (const one of ids) {
      for (const two of ids.filter(id => id !== one)) {
        const [mine, theirs] = [views.get(one)?.get(two), views.get(two)?.get(one)]
        // The second device of the first one has not read what came after it.
        if (mine !== undefined && theirs !== undefined) expect([mine, theirs].sort()).toEqual([false, true])
      }
    }
    expect(first.roster).toEqual([])
    expect([...(views.get(first.connection)?.values() ?? [])].some(Boolean), 'who came first is never polite').toBe(
      false,
    )
    expect(
      last.roster.every(({ polite }) => polite),
      'who came last is to everybody',
    ).toBe(true)
  })

  it('is the one who came in again, for that is a later coming', async () => {
    const { ada, bob } = await meet(world)
    const { connection, resume_token } = ada
    const body = { replaces: { connection, resume_token } }
    const { roster } = (await ada.call('POST', ada.at('/join'), body)).body
    expect(roster).toMatchObject([{ connection: bob.connection, polite: true }])
    expect((await bob.readAll()).at(-1)).toMatchObject({ type: 'peer_joined', payload: { polite: false } })
  })
})

const ofType = (to: Insider, type: string, ice_session?: string, payload: unknown = `${type} ${ice_session}`) => ({
  to: { connection: to.connection },
  type,
  payload,
  ice_session,
})

async function send(from: Insider, ...signals: object[]): Promise<{ statuses: string[]; seqs: number[] }> {
  const { status, body } = await from.send({ signals })
  expect(status, JSON.stringify(body)).toBe(200)
  const { results } = body as { results: { status: string; deliveries: { seq: number }[] }[] }
  return { statuses: results.map(({ status }) => status), seqs: results.map(({ deliveries: [to] }) => to?.seq ?? 0) }
}

const payloadsIn = async (inbox: Insider) => (await everythingOf(inbox)).signals.map(({ payload }) => payload)

describe('a new ICE session', () => {
  it.each(['offer', 'answer', 'candidate', 'candidates', 'end_of_candidates'])(
    'takes back what is not acknowledged of the candidates of the old one, whatever it begins with: %s',
    async type => {
      const { ada, bob } = await meet(world)
      const { seqs } = await send(
        ada,
        ofType(bob, 'offer', 'old'),
        ofType(bob, 'candidate', 'old', 1),
        ofType(bob, 'candidates', 'old', [2, 3]),
        ofType(bob, 'custom.word', undefined, 'stays'),
        ofType(bob, 'end_of_candidates', 'old', 4),
        ofType(bob, 'candidate', undefined, 'of no session'),
      )
      await send(ada, ofType(bob, type, 'new', 'begins'))
      const { signals, gaps } = await everythingOf(bob)
      expect(signals.map(({ payload }) => payload)).toEqual(['offer old', 'stays', 'of no session', 'begins'])
      const [, second, third, , fifth] = seqs
      expect(gaps).toEqual([
        { from_seq: second, to_seq: third, reason: 'stale_ice_session' },
        { from_seq: fifth, to_seq: fifth, reason: 'stale_ice_session' },
      ])
    },
  )

  it('leaves what was acknowledged as it is, and the gap can be acknowledged', async () => {
    const { ada, bob } = await meet(world)
    const { seqs } = await send(ada, ofType(bob, 'candidate', 'old', 1), ofType(bob, 'candidate', 'old', 2))
    await bob.ack({ up_to: seqs[0] ?? 0 })
    await send(ada, ofType(bob, 'offer', 'new'))
    expect((await everythingOf(bob)).gaps).toMatchObject([{ from_seq: seqs[1], to_seq: seqs[1] }])
    expect((await bob.ack({ up_to: seqs[1] ?? 0 })).body.acknowledged).toBe(1)
    expect(await everythingOf(bob)).toMatchObject({ signals: [{ type: 'offer' }], gaps: [] })
  })

  it('refuses a candidate of the old one that comes late, and says so', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, ofType(bob, 'offer', 'one'), ofType(bob, 'candidate', 'one'))
    const late = await send(
      ada,
      ofType(bob, 'offer', 'two'),
      ofType(bob, 'candidate', 'one'),
      ofType(bob, 'candidates', 'one'),
      ofType(bob, 'end_of_candidates', 'one'),
      ofType(bob, 'candidate', 'two'),
    )
    const stale = 'stale_ice_session'
    expect(late.statuses).toEqual(['queued', stale, stale, stale, 'queued'])
    expect(await payloadsIn(bob)).toEqual(['offer one', 'offer two', 'candidate two'])
  })

  it('refuses it as often as it is sent, by its number, too', async () => {
    const { ada, bob } = await meet(world)
    const numbered = (first_seq: number, ...signals: object[]) => ada.send({ first_seq, signals })
    await numbered(1, ofType(bob, 'offer', 'one'), ofType(bob, 'offer', 'two'), ofType(bob, 'candidate', 'one'))
    const { results } = (await numbered(3, ofType(bob, 'candidate', 'one'), ofType(bob, 'candidate', 'one'))).body
    expect(results).toEqual([
      { status: 'duplicate', first_status: 'stale_ice_session', deliveries: [] },
      { status: 'stale_ice_session', deliveries: [] },
    ])
  })

  it('is a matter of one sender and one recipient', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    for (const person of [ada, bob, carl]) await person.drain()
    await send(ada, ofType(bob, 'candidate', 'a'), ofType(carl, 'candidate', 'a'))
    await send(carl, ofType(bob, 'candidate', 'c'))
    await send(bob, ofType(ada, 'candidate', 'b'))
    await send(ada, ofType(bob, 'offer', 'a2'))
    expect(await payloadsIn(bob)).toEqual(['candidate c', 'offer a2'])
    expect(await payloadsIn(carl)).toEqual(['candidate a'])
    expect(await payloadsIn(ada)).toEqual(['candidate b'])
    expect((await send(ada, ofType(carl, 'candidate', 'a'))).statuses).toEqual(['queued'])
    expect((await send(carl, ofType(bob, 'candidate', 'a'))).statuses, 'may be called the same').toEqual(['queued'])
  })

  it('holds for both directions of a pair on their own', async () => {
    const { ada, bob } = await meet(world)
    await send(ada, ofType(bob, 'offer', 'a1'))
    await send(bob, ofType(ada, 'answer', 'b1'), ofType(ada, 'candidate', 'b1'))
    await send(ada, ofType(bob, 'offer', 'a2'))
    expect((await send(bob, ofType(ada, 'candidate', 'b1'))).statuses).toEqual(['queued'])
    expect((await everythingOf(ada)).gaps).toEqual([])
  })

  it('may be restarted many times, and what is sent in parallel belongs to one of them', async () => {
    const { ada, bob } = await meet(world)
    for (let round = 0; round < 6; round++) {
      await Promise.all([
        send(ada, ...Array.from({ length: 5 }, () => ofType(bob, 'candidate', `s${round}`))),
        send(ada, ofType(bob, 'offer', `s${round + 1}`)),
        send(ada, ...Array.from({ length: 5 }, () => ofType(bob, 'candidate', `s${round + 1}`))),
      ])
    }
    const candidates = (await payloadsIn(bob)).filter(payload => `${payload}`.startsWith('candidate'))
    expect([...new Set(candidates)]).toEqual(['candidate s6'])
  })
})
