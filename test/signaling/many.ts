import { connect, type Socket } from 'node:net'
import type { Knex } from 'knex'

/** Many who wait, without the thousand joins that it takes to be so many. */

/** As many more connections of the same person, as if they had come in by each; answers their ids. */
export async function multiply(db: Knex, connection: string, count: number): Promise<string[]> {
  const row = await db('rtc_connections').where({ id: connection }).first()
  const ids = Array.from({ length: count }, (_, i) => `${connection.slice(0, -5)}${String(i).padStart(5, '0')}`)
  for (let i = 0; i < ids.length; i += 200) {
    await db('rtc_connections').insert(ids.slice(i, i + 200).map(id => ({ ...row, id })))
  }
  return ids
}

interface Answer {
  status: number
  body: { signals: unknown[]; retry_after_ms?: number }
}

export interface Held {
  socket: Socket
  /** The first that says anything; rejects when it is cut off before. */
  answer: Promise<Answer>
}

/**
 * Holds a poll by a socket of its own, with nothing around it, so that five thousand fit into a test; asks again when
 * its time is over.
 */
export function hold(origin: string, token: string, connection: string): Held {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  const head = [
    `GET /api/rtc/inbox?connection=${connection}&wait=25 HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${token}`,
  ]
  const ask = () => socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const answer = new Promise<Answer>((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
      const said = parse(text)
      if (!said) return
      text = ''
      const isOver = said.status === 200 && said.body.signals.length === 0 && said.body.retry_after_ms === undefined
      if (isOver) ask()
      else resolve(said)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`It was cut off after: ${text}`)))
  })
  answer.catch(() => {}) // whoever waits for it hears of it there
  ask()
  return { socket, answer }
}

/** Undefined until all of it has come. */
function parse(text: string): Answer | undefined {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
  if (!(Buffer.byteLength(body) >= length)) return undefined
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}
