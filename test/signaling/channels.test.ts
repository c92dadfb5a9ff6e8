import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createWorld } from '../support/world.ts'
import { type Insider, meet } from './room.ts'

const world = await createWorld({ CORS_ORIGINS: 'https://app.example.com' })

const ticketOf = async ({ call, connection }: Insider): Promise<string> => {
  const { status, body } = await call('POST', '/api/rtc/tickets', { connection })
  expect(status).toBe(201)
  return body.ticket
}

const offer = (to: Insider, n = 1) => ({ to: { connection: to.connection }, type: 'custom.test', payload: { n } })

/** A stream of events, read one by one; comments are passed over. */
async function openStream(person: Insider, { query = '', headers = {} as Record<string, string> } = {}) {
  const stop = new AbortController()
  const url = `${person.origin}/api/rtc/stream?connection=${person.connection}&ticket=${await ticketOf(person)}${query}`
  const { status, headers: got, body } = await fetch(url, { headers, signal: stop.signal })
  expect([status, got.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const chunks = body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    abort: () => stop.abort(),
    /** Undefined when the stream has ended. */
    async next(): Promise<{ id: string | undefined; event: string | undefined; data: unknown } | undefined> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end >= 0) {
          const lines = text.slice(0, end).split('\n')
          text = text.slice(end + 2)
          const field = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
          const data = field('data')
          if (data !== undefined) return { id: field('id'), event: field('event'), data: JSON.parse(data) }
          continue
        }
        const chunk = await chunks?.read()
        if (!chunk || chunk.done) return undefined
        text += chunk.value
      }
    },
  }
}

async function openSocket(person: Insider, { query = '', ticket = '', origin = undefined as string | undefined } = {}) {
  const given = ticket || (await ticketOf(person))
  const url = `${person.origin.replace('http', 'ws')}/api/rtc/ws?connection=${person.connection}&ticket=${given}${query}`
  const socket = new WebSocket(url, { origin })
  const frames: { type: string; [member: string]: unknown }[] = []
  const waiting = new Set<() => void>()
  socket.on('message', data => {
    frames.push(JSON.parse(String(data)))
    for (const look of waiting) look()
  })
  const closed = new Promise<[code: number, reason: string]>(resolve => {
    socket.on('close', (code, reason) => resolve([code, String(reason)]))
  })
  const refused = new Promise<number>(resolve => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
  })
  const opened = once(socket, 'open').then(() => 101)
  opened.catch(() => {}) // who is refused never opens
  return {
    socket,
    closed,
    status: await Promise.race([opened, refused]),
    say: (frame: object | string) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    /** The first frame that is like this, once it has come. */
    frame: (like: object) =>
      new Promise<(typeof frames)[number]>(resolve => {
        const look = () => {
          const found = frames.find(each => Object.entries(like).every(([name, value]) => each[name] === value))
          if (!found) return
          waiting.delete(look)
          frames.splice(frames.indexOf(found), 1)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
  }
}

describe('a ticket', () => {
  it('is good once, for its own connection, for half a minute, and only the last one is', async () => {
    const { ada, bob } = await meet(world)
    const open = (person: Insider, ticket: string) =>
      world.anyone.get(`/api/rtc/stream?connection=${person.connection}&ticket=${ticket}`)
    const [first, second] = [await ticketOf(ada), await ticketOf(ada)]
    expect((await open(ada, first)).body.code).toBe('ticket_refused')
    expect((await open(bob, second)).body.code).toBe('ticket_refused')
    const { status, socket } = await openSocket(ada, { ticket: second })
    expect(status).toBe(101)
    socket.close()
    expect((await open(ada, second)).body.code).toBe('ticket_refused')
    const late = await ticketOf(ada)
    world.clock.advance(31)
    expect((await open(ada, late)).body.code).toBe('ticket_refused')
  })

  it('of two who show it at once, lets one in', async () => {
    const { ada } = await meet(world)
    const ticket = await ticketOf(ada)
    const both = await Promise.all([openSocket(ada, { ticket }), openSocket(ada, { ticket })])
    expect(both.map(({ status }) => status).sort()).toEqual([101, 401])
    for (const { socket } of both) socket.terminate()
  })
})

describe('the stream', () => {
  it('has an event for each signal, with its seq as id, and goes on where Last-Event-ID says', async () => {
    const { ada, bob } = await meet(world)
    const stream = await openStream(bob)
    await ada.send({ signals: [offer(bob, 1), offer(bob, 2)] })
    const events = [await stream.next(), await stream.next()]
    expect(events.map(event => event?.event)).toEqual(['signal', 'signal'])
    const [first = 0, second = 0] = events.map(event => Number(event?.id))
    expect(second).toBe(first + 1)
    expect(events[0]?.data).toMatchObject({ seq: first, type: 'custom.test', payload: { n: 1 } })
    stream.abort()

    const again = await openStream(bob, { headers: { 'Last-Event-ID': String(first) } })
    expect((await again.next())?.id).toBe(String(second))
    again.abort()
  })

  it('tells of a gap in its place', async () => {
    const { ada, bob } = await meet(world)
    const after = await bob.drain()
    await ada.send({ signals: [{ ...offer(bob, 1), ttl_ms: 100 }, offer(bob, 2)] })
    world.clock.advance(1)
    const stream = await openStream(bob, { query: `&after=${after}` })
    expect(await stream.next()).toMatchObject({ event: 'gap', id: `${after + 1}`, data: { reason: 'expired' } })
    expect(await stream.next()).toMatchObject({ event: 'signal', id: `${after + 2}` })
    stream.abort()
  })

  it('ends, and says why, when a newer reader comes and when the connection is closed', async () => {
    const { bob } = await meet(world)
    const first = await openStream(bob)
    const second = await openStream(bob)
    expect(await first.next()).toMatchObject({ event: 'end', data: { code: 'poll_superseded' } })
    expect(await first.next()).toBe(undefined)
    await bob.leave()
    expect(await second.next()).toMatchObject({ event: 'end', data: { code: 'connection_closed', reason: 'left' } })
    expect(await second.next()).toBe(undefined)
  })
})

describe('the WebSocket', () => {
  it('pushes what is to be read, and answers what is sent and acknowledged by its ref', async () => {
    const { ada, bob } = await meet(world)
    const after = await bob.drain()
    const channel = await openSocket(bob, { query: `&after=${after}` })
    await ada.send(offer(bob, 7))
    const pushed = await channel.frame({ type: 'signals' })
    expect(pushed).toMatchObject({ cursor: after + 1, signals: [{ seq: after + 1, payload: { n: 7 } }] })

    channel.say({ type: 'send', ref: 'a', first_seq: 1, signals: [offer(ada, 8)] })
    const sent = await channel.frame({ type: 'sent' })
    expect(sent).toMatchObject({ ref: 'a', results: [{ status: 'queued' }] })
    channel.say({ type: 'send', ref: 2, first_seq: 1, signals: [offer(ada, 8)] })
    expect(await channel.frame({ type: 'sent' })).toMatchObject({ ref: 2, results: [{ status: 'duplicate' }] })
    channel.say({ type: 'ack', ref: 3, up_to: after + 1 })
    expect(await channel.frame({ type: 'acked' })).toMatchObject({ ref: 3, acknowledged: 1, acked_through: after + 1 })
    expect((await ada.readAll()).filter(({ type }) => type === 'custom.test')).toHaveLength(1)
    channel.socket.terminate()
  })

  it('handles frames in their order, however many come at once', async () => {
    const { ada, bob } = await meet(world)
    const after = await ada.drain()
    const channel = await openSocket(bob)
    for (let n = 1; n <= 150; n++) channel.say({ type: 'send', ref: n, first_seq: n, signals: [offer(ada, n)] })
    await channel.frame({ ref: 150 })
    expect((await ada.readAll(after)).map(({ payload }) => payload.n)).toEqual(
      Array.from({ length: 150 }, (_, i) => i + 1),
    )
    channel.socket.terminate()
  })

  it.each([
    ['what is not JSON', 'nonsense', 'malformed_json'],
    ['a type that there is not', { type: 'toString' }, 'invalid'],
    ['a member that there is not', { type: 'ack', up_to: 1, upto: 1 }, 'invalid'],
    ['another connection than its own', { type: 'ack', up_to: 0, connection: 'con_x' }, 'invalid'],
    ['an acknowledgement of what is not there yet', { type: 'ack', up_to: 9999 }, 'ack_ahead'],
    ['a send without signals', { type: 'send', first_seq: 5 }, 'invalid'],
    ['a NUL', '{"type":"ack","ref":"\\u0000","up_to":0}', 'invalid'],
  ])('answers %s with a problem, and stays open', async (_what, frame, code) => {
    const { bob } = await meet(world)
    const channel = await openSocket(bob)
    channel.say(frame)
    expect(await channel.frame({ type: 'problem' })).toMatchObject({ problem: { code } })
    channel.say({ type: 'ack', ref: 'still', up_to: 0 })
    expect(await channel.frame({ ref: 'still' })).toMatchObject({ type: 'acked' })
    channel.socket.terminate()
  })

  it('is closed with 4409 by a newer reader, on whatever channel, and with 4410 when the connection is', async () => {
    const { bob } = await meet(world)
    const first = await openSocket(bob)
    const second = await openSocket(bob)
    expect(await first.closed).toEqual([4409, 'poll_superseded'])
    await bob.read()
    expect(await second.closed).toEqual([4409, 'poll_superseded'])
    const third = await openSocket(bob)
    await bob.leave()
    expect(await third.closed).toEqual([4410, 'left'])
  })

  it.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['https://app.example.com', 101],
  ])('opened by a page of %s is answered %i', async (origin, status) => {
    const { bob } = await meet(world)
    const channel = await openSocket(bob, { origin })
    expect(channel.status).toBe(status)
    channel.socket.terminate()
  })

  it('is open to pages of this server', async () => {
    const { bob } = await meet(world)
    const channel = await openSocket(bob, { origin: world.origin })
    expect(channel.status).toBe(101)
    channel.socket.terminate()
  })

  it('that ends frees the seat at once, and nothing is lost by it', async () => {
    const { ada, bob } = await meet(world)
    const after = await bob.drain()
    const channel = await openSocket(bob)
    channel.socket.terminate()
    await ada.send(offer(bob))
    expect((await bob.poll({ after })).body.signals).toHaveLength(1)
  })

  it('answers who does not upgrade that it is one', async () => {
    const { bob } = await meet(world)
    const reply = await world.anyone.get(`/api/rtc/ws?connection=${bob.connection}&ticket=x`)
    expect([reply.status, reply.body.code]).toEqual([400, 'websocket_expected'])
  })

  it('does not open at another address', async () => {
    const socket = new WebSocket(`${world.origin.replace('http', 'ws')}/api/elsewhere`)
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(404)
    socket.on('error', () => {}).terminate()
  })
})
