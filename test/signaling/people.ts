import type { Response } from 'supertest'
import { expect, vi } from 'vitest'
import type { Joined } from '../../src/features/presence/schema.ts'
import type { Client } from '../support/client.ts'
import type { Signal } from './room.ts'

/** People with accounts inside a meeting of theirs, and what is known of a node from outside. */

interface Query {
  [name: string]: string | number
}

type Reply = Pick<Response, 'status' | 'body'> & { headers: { [name: string]: string | string[] | undefined } }
interface Caller {
  call(method: string, path: string, body?: object): Promise<Reply>
}

export type Seat = Awaited<ReturnType<typeof join>>

/** Somebody comes into a meeting, where `at` is. */
export async function join({ call }: Caller, at: (path: string) => string, body: object = {}) {
  const reply = await call('POST', at('/join'), body)
  expect(reply.status, JSON.stringify(reply.body)).toBe(201)
  const joined: Joined = reply.body
  const { participant, connection, roster, roster_version } = joined
  const { id, resume_token } = connection
  return { participant, roster, roster_version, resume_token, ...inboxOf({ call }, id) }
}

/** What somebody does with a connection. */
export function inboxOf({ call }: Caller, connection: string) {
  const read = (query: Query = {}) => {
    const texts = Object.entries({ connection, ...query }).map(([name, value]): [string, string] => [name, `${value}`])
    return call('GET', `/api/rtc/inbox?${new URLSearchParams(texts)}`)
  }
  return {
    connection,
    call,
    read,
    poll: (query: Query = {}) => read({ wait: 25, ...query }),
    send: (body: object) => call('POST', '/api/rtc/signals', { connection, ...body }),
    ack: (up_to: number) => call('POST', '/api/rtc/ack', { connection, up_to }),
    resume: (resume_token: string, cursor = 0) => call('POST', '/api/rtc/resume', { connection, resume_token, cursor }),
  }
}

/** All that is to be read, and what was taken back; page by page, for a page has one gap at most. */
export async function everythingOf({ read }: { read(query: Query): Promise<Reply> }, after = 0) {
  const signals: Signal[] = []
  const gaps: { from_seq: number; to_seq: number; reason: string }[] = []
  for (let cursor = after; ; ) {
    const { status, body } = await read({ after: cursor, limit: 100 })
    expect(status, JSON.stringify(body)).toBe(200)
    signals.push(...body.signals)
    if (body.gap) gaps.push(body.gap)
    if (!body.has_more) return { signals, gaps }
    cursor = body.cursor
  }
}

/** How many wait for signals on a node. */
const countReaders = async (anyone: Client) => (await metricsOf(anyone)).parley_inbox_readers ?? 0

/** Resolves once so many wait there: what happens from then on finds them waiting. */
export const untilHeld = ({ anyone }: { anyone: Client }, count = 1) =>
  vi.waitFor(async () => expect(await countReaders(anyone)).toBe(count), { timeout: 20_000, interval: 10 })

/** How often readers were woken there, by what woke them. */
export async function wakingsOf({ anyone }: { anyone: Client }) {
  const metrics = await metricsOf(anyone)
  const by = (what: string) => metrics[`parley_inbox_readers_woken_total{by="${what}"}`] ?? 0
  return { commit: by('commit'), hint: by('hint'), sweep: by('sweep'), timeout: by('timeout') }
}

export async function metricsOf(anyone: Client): Promise<{ [line: string]: number }> {
  const { text } = await anyone.get('/metrics')
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map(line => [line.replace(/ \S+$/, ''), Number(/\S+$/.exec(line)?.[0])]))
}
