import { Agent, request } from 'node:http'
import type { Response } from 'supertest'
import { expect } from 'vitest'
import type { Client } from '../support/client.ts'

/** People inside a quick room, and what they do with their inboxes. */

interface Node {
  origin: string
  anyone: Client
}

type Reply = Pick<Response, 'status' | 'body'> & { headers: { [name: string]: string | string[] | undefined } }
type Call = (method: string, path: string, body?: object) => Promise<Reply>
interface Query {
  [name: string]: string | number
}

/** As it is read, as far as tests look at it. */
export interface Signal {
  seq: number
  type: string
  from: { connection: string; participant: string; user: string | null } | null
  // biome-ignore lint/suspicious/noExplicitAny: whatever has been sent
  payload: any
  glare: boolean
  deliveries: number
}

export type Insider = Awaited<ReturnType<typeof comeIn>>

let rooms = 0
/** A name that no other room of this run has. */
export const newRoom = (): string => `room-${++rooms}`

/** Somebody comes in: a stranger, or whoever has this token, be it an account's or of an earlier entry. */
export async function comeIn(node: Node, room: string, display_name = 'Somebody', as?: { token: string }) {
  const client = as ? node.anyone.with({ headers: headersOf(as) }) : node.anyone
  const { status, body } = await client.post(`/api/rooms/${room}/enter`, { display_name })
  expect(status, JSON.stringify(body)).toBe(201)
  const { participant, connection, session, roster, participant_token } = body
  const token: string = as?.token ?? participant_token
  const known = { participant, session, roster, token, resume_token: connection.resume_token as string }
  return insiderAt(node, connection.id, known, node.anyone.with({ headers: headersOf({ token }) }).call)
}

/** Two in a room of their own, who have read and acknowledged what was to be read. */
export async function meet(node: Node): Promise<{ ada: Insider; bob: Insider; room: string }> {
  const room = newRoom()
  const ada = await comeIn(node, room, 'Ada')
  const bob = await comeIn(node, room, 'Bob')
  for (const person of [ada, bob]) await person.drain()
  return { ada, bob, room }
}

interface Known {
  participant: { id: string }
  session: { id: string; meeting_id: string }
  roster: { connection: string; polite: boolean }[]
  token: string
  resume_token: string
}

function insiderAt({ origin }: Pick<Node, 'origin'>, connection: string, known: Known, call: Call) {
  const read = (query: Query = {}) => {
    const texts = Object.entries({ connection, ...query }).map(([name, value]): [string, string] => [name, `${value}`])
    return call('GET', `/api/rtc/inbox?${new URLSearchParams(texts)}`)
  }
  const ack = (what: { up_to: number } | { seqs: number[] }) => call('POST', '/api/rtc/ack', { connection, ...what })

  return {
    ...known,
    origin,
    connection,
    call,
    at: (path = '') => `/api/meetings/${known.session.meeting_id}${path}`,
    read,
    poll: (query: Query = {}) => read({ wait: 25, ...query }),
    ack,
    send: (body: object) => call('POST', '/api/rtc/signals', { connection, ...body }),
    leave: () => call('POST', `/api/meetings/${known.session.meeting_id}/leave`, { connection }),

    /** Reads to the end, page by page, and acknowledges nothing. */
    async readAll(after = 0, query: Query = {}): Promise<Signal[]> {
      const all: Signal[] = []
      for (let cursor = after; ; ) {
        const { status, body } = await read({ after: cursor, limit: 100, ...query })
        expect(status, JSON.stringify(body)).toBe(200)
        all.push(...body.signals)
        if (!body.has_more) return all
        cursor = body.cursor
      }
    },

    /** Acknowledges all that there is; answers the last seq. */
    async drain(): Promise<number> {
      for (let after = 0; ; ) {
        const { status, body } = await read({ after, limit: 100 })
        expect(status, JSON.stringify(body)).toBe(200)
        after = body.cursor
        if (body.has_more) continue
        expect((await ack({ up_to: after })).status).toBe(200)
        return after
      }
    },

    /** The same person, who calls another node. */
    through: ({ origin, anyone }: Node) =>
      insiderAt({ origin }, connection, known, anyone.with({ headers: headersOf(known) }).call),

    /** The same person, by connections that stay open, and with nobody who checks each answer: to call thousands of times. */
    lean: () => insiderAt({ origin }, connection, known, leanCall(origin, headersOf(known))),
  }
}

const headersOf = ({ token }: { token: string }) => ({ Authorization: `Bearer ${token}` })

const agent = new Agent({ keepAlive: true })

const leanCall =
  (origin: string, headers: { [name: string]: string }): Call =>
  (method, path, body) =>
    new Promise((resolve, reject) => {
      const json = body && JSON.stringify(body)
      const type = json && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) }
      const call = request(origin + path, { method, agent, headers: { ...headers, ...type } }, answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', chunk => {
          text += chunk
        })
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: text ? JSON.parse(text) : undefined,
          }),
        )
      })
      call.on('error', reject)
      call.end(json)
    })

/** A signal to somebody: a word, unless it is said what. */
export const word = (
  to: { connection: string },
  payload: unknown,
  more: { type?: string; [member: string]: unknown } = {},
) => ({
  to: { connection: to.connection },
  type: 'custom.word',
  payload,
  ...more,
})

/** So many, numbered from one, or from another number. */
export const words = (to: { connection: string }, count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => word(to, from + i))

export const payloadsOf = (signals: Signal[]) => signals.map(({ payload }) => payload)
export const seqsOf = (signals: Signal[]) => signals.map(({ seq }) => seq)
