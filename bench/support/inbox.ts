import { connect, createServer, type Socket } from 'node:net'
import type { Knex } from 'knex'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import type { Clock } from '../../src/kernel/clock.ts'

/** People inside quick rooms, a client that costs little beside the server it drives, and what others left behind. */

export interface Answer {
  status: number
  text: string
}

interface Asked {
  text: string
  resolve(answer: Answer): void
  reject(error: Error): void
}

export type Line = ReturnType<typeof openLine>

/**
 * One connection that is kept, and on it one request after the other. A client of Node's own takes as long over a request
 * as the server does; this one knows just what Parley answers: a head with a Content-Length, and a body.
 */
export function openLine(origin: string, token?: string) {
  const { hostname, port, host } = new URL(origin)
  const waiting: Asked[] = []
  let socket: Socket | undefined
  let received: Buffer = Buffer.alloc(0)

  const head = `Host: ${host}\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}`

  function take(data: Buffer): void {
    received = received.length > 0 ? Buffer.concat([received, data]) : data
    const end = received.indexOf('\r\n\r\n')
    if (end < 0) return
    const top = received.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(top)?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) fail(new Error(`An answer without a length: ${top}`))
    if (!(received.length >= end + 4 + length)) return
    const text = received.toString('utf8', end + 4, end + 4 + length)
    received = received.subarray(end + 4 + length)
    waiting.shift()?.resolve({ status: Number(top.slice(9, 12)), text })
    if (/\r\nconnection: close/i.test(top)) hangUp() // on the next request there will be another
    const next = waiting[0]
    if (next) dial().write(next.text)
  }

  function dial(): Socket {
    if (socket) return socket
    const fresh = connect({ host: hostname, port: Number(port), noDelay: true })
    fresh.on('data', take)
    fresh.on('error', fail)
    fresh.on('close', () => {
      if (socket === fresh) fail(new Error(`${origin} has hung up`))
    })
    socket = fresh
    return fresh
  }

  function hangUp(): void {
    const old = socket
    socket = undefined
    received = Buffer.alloc(0)
    old?.destroy()
  }

  /** Between two requests a server may hang up: nothing is lost by it. */
  function fail(error: Error): void {
    hangUp()
    for (const { reject } of waiting.splice(0)) reject(error)
  }

  return {
    request(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
      const length =
        body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
      const text = `${method} ${path} HTTP/1.1\r\n${head}${length}\r\n${body ?? ''}`
      return new Promise((resolve, reject) => {
        waiting.push({ text, resolve, reject })
        if (waiting.length === 1) dial().write(text)
      })
    },
    close: hangUp,
  }
}

export type Person = Awaited<ReturnType<typeof enterRoom>>

/** Somebody in a quick room, who speaks on one line and listens on another. */
export async function enterRoom(origin: string, room: string, display_name: string) {
  const door = openLine(origin)
  const { status, text } = await door.request('POST', `/api/rooms/${room}/enter`, JSON.stringify({ display_name }))
  door.close()
  if (status !== 201) throw new Error(`${origin} does not let anybody in: ${status} ${text}`)
  const { connection, participant_token } = JSON.parse(text)
  const id: string = connection.id
  const mouth = openLine(origin, participant_token)
  const ear = openLine(origin, participant_token)

  return {
    id,

    /** `signals` is the JSON of one or several; what else the body has comes before it. */
    async send(signals: string, first_seq?: number): Promise<string> {
      const number = first_seq === undefined ? '' : `"first_seq":${first_seq},`
      return good(
        await mouth.request('POST', '/api/rtc/signals', `{"connection":"${id}",${number}"signals":[${signals}]}`),
      )
    },

    async poll(query: string): Promise<string> {
      return good(await ear.request('GET', `/api/rtc/inbox?connection=${id}&${query}`))
    },

    async ack(up_to: number): Promise<string> {
      return good(await mouth.request('POST', '/api/rtc/ack', `{"connection":"${id}","up_to":${up_to}}`))
    },

    goAway(): void {
      mouth.close()
      ear.close()
    },
  }
}

function good({ status, text }: Answer): string {
  if (status !== 200) throw new Error(`Refused: ${status} ${text}`)
  return text
}

export const signalTo = (connection: string, type: string, payload: object): string =>
  JSON.stringify({ to: { connection }, type, payload })

/** One that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** SQL about the row number `i`: the engine makes them itself. What others left behind is older than any living id. */
const number = (i: string) => `CAST(1000000000 + ${i} AS text)`
const idPrefix = (kind: string) => `${kind}_0190a0b0c0d07000800000`
const idOf = (kind: string, i = 'i') => `'${idPrefix(kind)}' || ${number(i)}`
const text = (value: string) => `'${value}'`
const timeOn = (day: string) =>
  `'${day}T' || substr(${number('i % 24')}, 9) || ':' || substr(${number('i / 24 % 60')}, 9) || ':00.000Z'`

export const historyId = (kind: string, i: number): string => `${idPrefix(kind)}${1_000_000_000 + i}`

const insert = (db: Knex, table: string, columns: { [name: string]: string }, from: number, to: number) =>
  db.raw(`INSERT INTO ${table} (${Object.keys(columns).join(', ')})
    WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to - 1})
    SELECT ${Object.values(columns).join(', ')} FROM n`)

/**
 * Ended meetings of two people each, who left so many rows in each other's inboxes, between three and twenty-three days
 * ago: too long for what is cleared away soon, and not long enough for what is cleared away at last.
 */
export async function fillWithHistory(db: Knex, clock: Clock, meetings: number, rows: number): Promise<void> {
  const each = Math.ceil(rows / meetings / 2)
  const step = Math.ceil(100_000 / each)
  for (let from = 0; from < meetings; from += step) {
    const to = Math.min(meetings, from + step)
    const day = clock.in(-24 * 3600 * (3 + (20 * from) / meetings)).slice(0, 10)
    await db.transaction(async db => {
      await fillWithPeople(db, timeOn(day), from, to)
      await fillInboxes(db, each, from * 2, to * 2)
    })
  }
}

async function fillWithPeople(db: Knex, when: string, from: number, to: number): Promise<void> {
  const tenant_id = text(DEFAULT_TENANT)
  const meeting = {
    id: idOf('mtg'),
    tenant_id,
    ...{ title: text('Tea'), description: text(''), type: text('group'), kind: text('one_off'), status: text('ended') },
    ...{ duration_minutes: '60', time_zone: text('UTC'), max_participants: '25', sequence: '0', version: '1' },
    ...{ lobby: 'FALSE', guests: 'TRUE', locked: 'FALSE', senders: text('all'), screen_share: text('all') },
    ...{ chat: text('all'), recording: text('off'), provider: text('mesh'), metadata: text('{}') },
    join_code: `'history-' || ${number('i')}`,
    ...{ started_at: when, ended_at: when, created_at: when, updated_at: when },
  }
  const session = { id: idOf('ses'), tenant_id, meeting_id: idOf('mtg'), started_at: when, ended_at: when }
  const of = { tenant_id, meeting_id: idOf('mtg', 'i / 2') }
  const participant = {
    id: idOf('par'),
    ...of,
    ...{ display_name: text('Guest'), role: text('participant'), relation: text('guest'), generation: '1' },
    ...{ may: text('join'), state: text('away'), admitted: 'TRUE', shown_out: 'FALSE', title_key: text('tea') },
    ...{ starts_at: when, over_at: when, meeting_created_at: when, created_at: when },
  }
  const span = { ...of, session_id: idOf('ses', 'i / 2'), participant_id: idOf('par') }
  const attendance = {
    id: idOf('att'),
    ...span,
    ...{ display_name: text('Guest'), role: text('participant'), medium: text('video') },
    ...{ joined_at: when, left_at: when, end_reason: text('left') },
  }
  const connection = {
    id: idOf('con'),
    ...span,
    ...{ attendance_id: idOf('att'), resume_token_hash: text('-'), token_family: idOf('par') },
    ...{ opened_at: when, last_seen_at: when, closed_at: when, close_reason: text('left') },
    ...{ next_seq: '1000', revision: '90' },
  }
  await insert(db, 'meetings', meeting, from, to)
  await insert(db, 'meeting_sessions', { ...session, end_reason: text('empty'), roster_version: '4' }, from, to)
  await insert(db, 'meeting_participants', participant, from * 2, to * 2)
  await insert(db, 'attendances', attendance, from * 2, to * 2)
  await insert(db, 'rtc_connections', connection, from * 2, to * 2)
}

/** Signals that have expired, and in between those acknowledged ahead of them; and a numbered send for every fourth. */
export async function fillInboxes(db: Knex, each: number, from: number, to: number, first = 1): Promise<void> {
  const slot = (each: number) => ({
    owner: idOf('con', `(i / ${each})`),
    peer: idOf('con', `(i / ${each} + 1 - i / ${each} % 2 * 2)`),
    nth: `(${first} + i % ${each})`,
  })
  const { owner, peer, nth } = slot(each)
  const state = `CASE WHEN i % 2 = 0 THEN 'expired' ELSE 'acked' END`
  const states = `'{"' || CAST(${nth} AS text) || '":["' || ${state} || '","' || ${peer} || '"]}'`
  const signal = { connection_id: owner, seq: nth, last_seq: nth, states, body: text('') }
  await insert(db, 'rtc_signals', signal, from * each, to * each)
  const fewer = Math.ceil(each / 4)
  const sent = slot(fewer)
  const delivery = `{"connection":"' || ${sent.peer} || '","seq":' || CAST(${sent.nth} AS text) || '}`
  const outcomes = `'[{"digest":"${'d'.repeat(43)}","outcome":{"status":"queued","deliveries":[${delivery}]}}]'`
  const send = { connection_id: sent.owner, number: sent.nth, outcomes }
  await insert(db, 'rtc_sends', send, from * fewer, to * fewer)
}

/** How much of it there is. */
export async function countHistory(db: Knex): Promise<number> {
  let sum = 0
  for (const [table, key] of [
    ['rtc_signals', 'connection_id'],
    ['rtc_sends', 'connection_id'],
    ['rtc_connections', 'id'],
  ] as const) {
    const [counted] = await db(table).where(key, '<', idPrefix('con').replace('0190', '0191')).count({ count: '*' })
    sum += Number(counted?.count)
  }
  return sum
}
