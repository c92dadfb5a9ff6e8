import { connect, type Socket } from 'node:net'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { comeIn, type Insider, newRoom, type Signal, word } from './room.ts'

const world = await createWorld()

/** When the reader hangs up: after so long, or once so much of the answer is read, whatever else is on the way. */
interface Cut {
  after_ms?: number
  after_bytes?: number
}

interface Heard {
  status: number
  /** What has arrived of the body. */
  text: string
  whole: boolean
}

function begin(by: Insider, path: string): Socket {
  const { hostname, port } = new URL(by.origin)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}) // it was us who hung up
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${by.token}\r\n\r\n`)
  return socket
}

/** Asks on a socket of its own, reads slowly, and hangs up in the middle if it is told when. */
async function ask(by: Insider, path: string, cut: Cut): Promise<Heard> {
  const { after_ms, after_bytes = Number.POSITIVE_INFINITY } = cut
  const socket = begin(by, path)
  const timer = after_ms === undefined ? undefined : setTimeout(() => socket.destroy(), after_ms)
  const answer: Heard & { head: string } = { head: '', text: '', status: 0, whole: false }
  let bytes = 0
  try {
    for await (const chunk of socket) {
      answer.text += chunk.subarray(0, after_bytes - bytes)
      bytes += chunk.length
      if (!answer.head && answer.text.includes('\r\n\r\n')) {
        const [head = '', text = ''] = answer.text.split('\r\n\r\n')
        Object.assign(answer, { head, text, status: Number(head.split(' ')[1]) })
      }
      answer.whole = answer.text.length === Number(/content-length: (\d+)/i.exec(answer.head)?.[1])
      if (answer.whole || bytes >= after_bytes) break
      await turn()
    }
  } catch {
    // The same: what had arrived is what there is.
  }
  clearTimeout(timer)
  socket.destroy()
  return answer.head ? answer : { ...answer, text: '' }
}

/** Of an answer that was cut in the middle, the signals that are there as a whole. */
function signalsIn({ text, whole }: Heard): Signal[] {
  if (whole) return JSON.parse(text).signals
  const end = text.lastIndexOf(',{"seq":')
  return end < 0 ? [] : JSON.parse(`${text.slice(0, end)}]}`).signals
}

const someCut = (): Cut => {
  const dice = Math.random()
  if (dice < 0.4) return { after_ms: Math.random() * 8 }
  return dice < 0.8 ? { after_bytes: Math.floor(2 ** (9 + Math.random() * 8)) } : {}
}

describe('a reader whose polls are cut at random moments', () => {
  it('and who acknowledges only what arrived as a whole gets all of two thousand signals, once and in order', async () => {
    const room = newRoom()
    const bob = await comeIn(world, room, 'Bob')
    const senders = await Promise.all(['Ada', 'Eve', 'Joe', 'Kim'].map(name => comeIn(world, room, name)))
    const base = await bob.drain()
    const cuts = { waiting: 0, inTheMiddle: 0 }
    const each = 500
    const last = base + each * senders.length
    const got = new Map<number, Signal>()
    /** Acknowledged, as far as it was heard. */
    let floor = base
    /** All up to here has arrived. */
    let cursor = base

    async function send(from: Insider): Promise<void> {
      const sender = from.lean()
      for (let next = 1; next <= each; ) {
        const count = Math.min(each - next + 1, 1 + Math.floor(Math.random() * 6))
        const texts = Array.from({ length: count }, (_, i) => `${next + i} ${'x'.repeat(Math.random() * 8000)}`)
        const reply = await sender.send({ first_seq: next, signals: texts.map(text => word(bob, text)) })
        expect(reply.status, JSON.stringify(reply.body)).toBe(200)
        next += count
        await pause(Math.random() * 6)
        while (next + 5 - acknowledgedOf(from) > 200) await pause(1) // a share is never filled
      }
    }

    const acknowledgedOf = ({ connection }: Insider) =>
      [...got.values()].filter(({ seq, from }) => seq <= floor && from?.connection === connection).length

    function use(signals: Signal[], known: number): void {
      for (const [i, signal] of signals.entries()) {
        const { seq, payload } = signal
        expect(seq).toBeGreaterThan(known) // what was acknowledged does not come again
        expect(seq).toBe((signals[0]?.seq ?? 0) + i)
        expect(seq).toBeLessThanOrEqual(cursor + 1)
        if (seq <= cursor) expect(payload).toBe(got.get(seq)?.payload)
        got.set(seq, signal)
        cursor = Math.max(cursor, seq)
      }
    }

    async function read(): Promise<void> {
      while (floor < last) {
        const known = floor
        const after = Math.random() < 0.3 ? floor : cursor
        const ack = Math.random() < 0.5 ? `&ack=${cursor}` : ''
        const wait = cursor < last ? 25 : 0
        const limit = 1 + Math.floor(Math.random() * 100)
        const path = `/api/rtc/inbox?connection=${bob.connection}&after=${after}&wait=${wait}&limit=${limit}${ack}`
        const heard = await ask(bob, path, someCut())
        if (heard.status === 0) cuts.waiting++
        else if (!heard.whole) cuts.inTheMiddle++
        // A poll that was cut may arrive after the next one, and takes its place.
        if (heard.whole && heard.status !== 200) expect(JSON.parse(heard.text).code).toBe('poll_superseded')
        if (heard.status !== 200) continue
        if (heard.whole) floor = JSON.parse(heard.text).acked_through
        use(signalsIn(heard), known)
      }
    }

    await Promise.all([read(), ...senders.map(send)])
    expect([...got.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: last - base }, (_, i) => base + 1 + i))
    const inOrder = [...got.values()].sort((a, b) => a.seq - b.seq)
    for (const { connection } of senders) {
      const numbers = inOrder
        .filter(({ from }) => from?.connection === connection)
        .map(({ payload }) => Number.parseInt(payload, 10))
      expect(numbers).toEqual(Array.from({ length: each }, (_, i) => i + 1))
    }
    expect((await bob.read()).body).toMatchObject({ signals: [], pending: 0, acked_through: last, gap: null })
    expect(cuts.waiting).toBeGreaterThan(20)
    expect(cuts.inTheMiddle).toBeGreaterThan(20)
  }, 60_000)

  it('leaves nothing behind: neither a reader nor a database connection', async () => {
    const rooms = Array.from({ length: 3 }, newRoom)
    const people = await Promise.all(rooms.flatMap(room => Array.from({ length: 8 }, () => comeIn(world, room))))
    const cursors = await Promise.all(people.map(person => person.drain()))
    const comesTo = async (expected: object) => {
      const { text } = await world.anyone.get('/metrics')
      const gauge = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
      const now = { readers: gauge('parley_inbox_readers'), connections: gauge('parley_db_connections_used') }
      return JSON.stringify(now) === JSON.stringify(expected)
    }
    for (let round = 0; round < 5; round++) {
      const sockets = people.map((person, i) =>
        begin(person, `/api/rtc/inbox?connection=${person.connection}&after=${cursors[i]}&wait=25`),
      )
      while (!(await comesTo({ readers: people.length, connections: 0 }))) await pause(1)
      for (const socket of sockets) socket.destroy()
      while (!(await comesTo({ readers: 0, connections: 0 }))) await pause(1)
    }
  })
})
