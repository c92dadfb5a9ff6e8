import { describe, expect, it } from 'vitest'
import type { Attendance } from '../../src/features/presence/schema.ts'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()

type Inside = Awaited<ReturnType<typeof guestInside>>

/** As `replaces` and a beacon name it. */
interface Connection {
  connection: string
  resume_token: string
}
interface Reply {
  status: number
  body: { code?: string; reason?: string }
}

const told = ({ status, body }: Reply) => [status, body.code]

/** A meeting, and a guest who is inside by so many connections. */
async function guestInside(count = 1) {
  const held = await world.make.meeting({}, owner)
  const guest = await world.make.guest(held)
  await owner.post(held.at('/lobby/admit-all'))
  const connections: Connection[] = []
  for (let i = 0; i < count; i++) {
    const { id, resume_token } = (await guest.post(held.at('/join'))).body.connection
    connections.push({ connection: id, resume_token })
  }
  const [first, second] = connections
  if (!first) throw new Error('Nobody has come in')
  const door = (verb: string) => held.at(`/participants/${guest.participant.id}/${verb}`)
  return { held, guest, at: held.at, door, first, second: second ?? first }
}

async function peopleInside({ at }: Held): Promise<number> {
  return (await owner.get(at('/participants?state=inside'))).body.data.length
}

async function attendance({ at }: Held): Promise<Attendance[]> {
  return (await owner.get(at('/attendance?limit=100'))).body.data
}

async function pass(seconds: number): Promise<void> {
  world.clock.advance(seconds)
  await world.app.sweeper.tick()
}

describe('somebody with two devices', () => {
  it('is one person with two spans, and is inside until both have gone', async () => {
    const { held, guest, at, first, second } = await guestInside(2)
    expect(await peopleInside(held)).toBe(1)
    const left = await guest.post(at('/leave'), { connection: first.connection })
    expect(left.body.attendance.end_reason).toBe('left')
    expect(await peopleInside(held)).toBe(1)
    expect((await attendance(held)).map(({ end_reason }) => end_reason)).toEqual(['left', null])
    await guest.post(at('/leave'), { connection: second.connection })
    expect(await peopleInside(held)).toBe(0)
  })

  it('is seen by the others as one person with two connections', async () => {
    const { guest, at, first, second } = await guestInside(2)
    const { roster } = (await owner.post(at('/join'))).body
    expect(roster).toMatchObject([
      { participant: guest.participant.id, connection: first.connection, role: 'participant' },
      { participant: guest.participant.id, connection: second.connection, role: 'participant' },
    ])
  })

  it('says which of them is meant', async () => {
    const { held, guest, at, first } = await guestInside(2)
    expect(told(await guest.post(at('/leave')))).toEqual([409, 'connection_required'])
    expect(told(await guest.post(at('/heartbeat')))).toEqual([409, 'connection_required'])
    expect(await peopleInside(held)).toBe(1)
    await guest.post(at('/leave'), { connection: first.connection })
    expect((await guest.post(at('/heartbeat'))).status).toBe(200)
  })

  it('is removed from both of them', async () => {
    const { held, guest, at, first, second } = await guestInside(2)
    await owner.post(at(`/participants/${guest.participant.id}/remove`))
    expect(await peopleInside(held)).toBe(0)
    for (const { connection } of [first, second]) {
      const reply = await guest.post(at('/heartbeat'), { connection })
      expect([reply.status, reply.body.reason]).toEqual([410, 'removed'])
    }
  })

  it('has five at most, also when they come at once, and a sixth in place of one of them', async () => {
    const { held, guest, at, first } = await guestInside()
    const replies = await Promise.all(Array.from({ length: 8 }, () => guest.post(at('/join'))))
    const refused = replies.filter(({ status }) => status !== 201)
    expect(refused.map(told)).toEqual(Array(4).fill([409, 'too_many_connections']))
    expect((await guest.post(at('/join'), { replaces: first })).status).toBe(201)
    expect(await peopleInside(held)).toBe(1)
  })
})

describe('a connection', () => {
  it('of somebody else does not exist', async () => {
    const { held, guest, at, first } = await guestInside()
    const { connection } = (await owner.post(at('/join'))).body
    const stranger = await world.make.user()
    for (const [caller, id] of [
      [owner, first.connection],
      [guest, connection.id],
      [guest, 'con_unknown'],
      [stranger, first.connection],
    ] as const) {
      expect((await caller.post(at('/leave'), { connection: id })).status).toBe(404)
      expect((await caller.post(at('/heartbeat'), { connection: id })).status).toBe(404)
    }
    expect((await owner.post(at('/join'), { replaces: first })).status).toBe(404)
    expect(await peopleInside(held)).toBe(2)
  })

  it('is none for who has not come in', async () => {
    const { at } = await world.make.meeting({}, owner)
    expect(told(await owner.post(at('/heartbeat')))).toEqual([409, 'not_joined'])
  })

  it('that is heard of stays, and one that is silent has left when it was last heard of', async () => {
    const { held, guest, at, first, second } = await guestInside(2)
    world.clock.advance(30)
    const heardAt = world.clock.now()
    await guest.post(at('/heartbeat'), { connection: first.connection })
    await pass(30)
    expect(await attendance(held)).toMatchObject([{ end_reason: null }, { end_reason: 'timeout' }])
    expect((await guest.post(at('/heartbeat'), { connection: second.connection })).body.reason).toBe('timeout')
    expect(await peopleInside(held)).toBe(1)
    await pass(30)
    expect(await attendance(held)).toMatchObject([{ left_at: heardAt, end_reason: 'timeout', minutes: 0.5 }, {}])
    expect(await peopleInside(held)).toBe(0)
  })

  const ways: { [way: string]: [reason: string, close: (inside: Inside) => Promise<unknown>] } = {
    left: ['left', ({ guest, at }) => guest.post(at('/leave'))],
    'shown out': ['removed', ({ door }) => owner.post(door('remove'))],
    banned: ['removed', ({ door }) => owner.post(door('remove'), { ban: true })],
    replaced: ['replaced', ({ guest, at, first }) => guest.post(at('/join'), { replaces: first })],
    silent: ['timeout', () => pass(60)],
    ended: ['meeting_ended', ({ at }) => owner.post(at('/end'))],
  }

  it.each(Object.entries(ways))('of one’s own that is closed says why: %s', async (_way, [reason, close]) => {
    const inside = await guestInside()
    await close(inside)
    const reply = await inside.guest.post(inside.at('/heartbeat'), { connection: inside.first.connection })
    expect([...told(reply), reply.body.reason]).toEqual([410, 'connection_closed', reason])
  })

  it('of one’s own that is closed says why: withdrawn', async () => {
    const held = await world.make.meeting({}, owner)
    const invitee = await world.make.invitee(held)
    const { connection } = (await invitee.post(held.at('/join'))).body
    await owner.delete(invitee.invited)
    const reply = await invitee.post(held.at('/heartbeat'), { connection: connection.id })
    expect([reply.status, reply.body.reason]).toEqual([410, 'withdrawn'])
    expect((await invitee.post(held.at('/join'))).status).toBe(404)
  })
})

describe('a page that is closed', () => {
  const beacon = { 'Content-Type': 'text/plain;charset=UTF-8' }

  it('leaves with its token as plain text, and without a bearer', async () => {
    const { held, at, first } = await guestInside()
    const body = JSON.stringify(first)
    const reply = await world.anyone.post(at('/leave'), body, beacon)
    expect(reply.status).toBe(200)
    expect(reply.body.attendance.end_reason).toBe('left')
    expect(await peopleInside(held)).toBe(0)
    expect((await world.anyone.post(at('/leave'), body, beacon)).body).toEqual(reply.body)
  })

  it('closes just its own connection', async () => {
    const { held, at, first, second } = await guestInside(2)
    const mixed = { connection: first.connection, resume_token: second.resume_token }
    expect((await world.anyone.post(at('/leave'), JSON.stringify(mixed), beacon)).status).toBe(404)
    const other = await world.make.meeting({}, owner)
    const right = JSON.stringify(first)
    expect((await world.anyone.post(other.at('/leave'), right, beacon)).status).toBe(404)
    expect((await attendance(held)).map(({ end_reason }) => end_reason)).toEqual([null, null])
    expect((await world.anyone.post(at('/leave'), right, beacon)).status).toBe(200)
    expect(await peopleInside(held)).toBe(1)
  })

  it('without its token is nobody', async () => {
    const { at, first } = await guestInside()
    const text = JSON.stringify({ connection: first.connection })
    expect((await world.anyone.post(at('/leave'), text, beacon)).status).toBe(401)
    expect((await world.anyone.post(at('/leave'))).status).toBe(401)
  })
})

describe('the attendance', () => {
  it('keeps the device, the medium, and the worst and mean of what was measured', async () => {
    const { held, guest, at, first } = await guestInside()
    await guest.post(at('/leave'), { connection: first.connection })
    await guest.post(at('/join'), { device: 'Telephone', medium: 'audio' })
    for (const quality of [{ rtt_ms: 100, loss: 0.5, bitrate: 900 }, { rtt_ms: 300 }, { rtt_ms: 200, bitrate: 300 }]) {
      expect((await guest.post(at('/heartbeat'), { quality })).status).toBe(200)
    }
    const [plain, measured] = await attendance(held)
    expect(plain).toMatchObject({ device: null, medium: 'video', quality: null })
    expect(measured).toMatchObject({ device: 'Telephone', medium: 'audio' })
    expect(measured?.quality).toEqual({
      rtt_ms: { worst: 300, mean: 200, samples: 3 },
      loss: { worst: 0.5, mean: 0.5, samples: 1 },
      bitrate: { worst: 300, mean: 600, samples: 2 },
    })
  })

  it('loses none of the measures that come at once', async () => {
    const { held, guest, at } = await guestInside()
    await Promise.all(Array.from({ length: 10 }, () => guest.post(at('/heartbeat'), { quality: { rtt_ms: 40 } })))
    expect((await attendance(held))[0]?.quality).toEqual({ rtt_ms: { worst: 40, mean: 40, samples: 10 } })
  })

  it('is read in pages, in the order in which people came', async () => {
    const { guest, at } = await guestInside(5)
    await owner.post(at('/join'))
    const read: Attendance[] = []
    let cursor = ''
    do {
      const { body } = await owner.get(at(`/attendance?limit=2${cursor && `&cursor=${cursor}`}`))
      read.push(...body.data)
      cursor = body.next_cursor ?? ''
    } while (cursor)
    const ids = read.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].sort())
    expect(read.map(({ participant_id }) => participant_id).slice(0, 5)).toEqual(Array(5).fill(guest.participant.id))
    expect(read).toHaveLength(6)
  })

  it('as a spreadsheet is all of it, beyond what a page holds', async () => {
    const { guest, at, first } = await guestInside()
    let replaces = first
    for (let i = 0; i < 104; i++) {
      const { id, resume_token } = (await guest.post(at('/join'), { replaces })).body.connection
      replaces = { connection: id, resume_token }
    }
    const { text } = await owner.get(at('/attendance'), { Accept: 'text/csv' })
    const lines = text.trimEnd().split('\r\n')
    expect(lines).toHaveLength(1 + 105)
    expect(lines.slice(1, -1).every(line => line.includes(',replaced,'))).toBe(true)
  })

  it('is for the hosts alone', async () => {
    const { guest, at } = await guestInside()
    expect(told(await guest.get(at('/attendance')))).toEqual([403, 'hosts_only'])
    expect(told(await guest.get(at('/attendance'), { Accept: 'text/csv' }))).toEqual([403, 'hosts_only'])
  })

  it('as a spreadsheet runs nothing that a guest has called themselves', async () => {
    const { guest, at } = await guestInside()
    const names = ['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', 'Ada, the first', 'Grace']
    for (const display_name of names) {
      await guest.post(at('/leave'))
      await guest.post(at('/join'), { display_name, device: '=1+1' })
    }
    const reply = await owner.get(at('/attendance'), { Accept: 'text/csv' })
    expect([reply.status, reply.type]).toEqual([200, 'text/csv'])
    const [head, , ...lines] = reply.text.trimEnd().split('\r\n')
    expect(head?.split(',')).toEqual(expect.arrayContaining(['display_name', 'joined_at', 'left_at', 'minutes']))
    const begins = [`"'=HYPERLINK(""http://x"")"`, `'+1`, `'-1`, `'@SUM(A1)`, '"Ada, the first"', 'Grace']
    expect(lines).toHaveLength(begins.length)
    lines.forEach((line, i) => {
      expect(line.startsWith(`${begins[i]},participant,`), line).toBe(true)
      expect(line).toContain(",'=1+1,video,")
    })
  })
})
