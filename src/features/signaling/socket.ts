import type { Channel, Socket } from '../../http/route.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Seat } from './reader.ts'
import { textOfRead } from './render.ts'
import { type Ack, AckFrame, type Send, SendFrame } from './schema.ts'
import type { Signaling } from './service.ts'

/** The same inbox over WebSocket: what is to be read is pushed, what is sent or acknowledged is answered. */

const wait_ms = 25_000
/** Why it is closed, for who has no status to read it from. */
const SUPERSEDED = 4409
const CONNECTION_CLOSED = 4410
const RESTART = 1012
const BROKEN = 1011

export function channelOf(signaling: Signaling, connection: string, seat: Seat, after: number): Channel {
  return {
    frames: {
      send: { body: SendFrame, answer: 'sent', handle: (body: Send) => signaling.sendBy(connection, body) },
      ack: { body: AckFrame, answer: 'acked', handle: (body: Ack) => signaling.ackBy(connection, body) },
    },
    opened: socket => void push(socket, seat, after),
    closed() {
      seat.end('gone')
      seat.leave()
    },
  }
}

/** A page goes out when the one before is on its way, so that a slow reader does not fill our memory. */
async function push(socket: Socket, seat: Seat, after: number): Promise<void> {
  try {
    for (let cursor = after; ; ) {
      const started = performance.now()
      const read = await seat.next({ after: cursor, limit: 50, wait_ms })
      const { page, over } = read
      if (over === 'gone') return
      if (page.signals.length > 0 || page.gap || over) {
        const text = textOfRead(read, Math.round(performance.now() - started))
        await socket.send(`{"type":"signals",${text.slice(1)}`)
      }
      if (over) return socket.close(RESTART, 'restart')
      cursor = page.cursor
    }
  } catch (error) {
    if (!(error instanceof Problem)) socket.close(BROKEN, 'internal')
    else if (error.code === 'poll_superseded') socket.close(SUPERSEDED, error.code)
    else socket.close(CONNECTION_CLOSED, error.extra.reason ?? error.code)
  } finally {
    seat.leave()
  }
}
