import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Log } from '../kernel/log.ts'
import { Invalid } from '../kernel/problem.ts'
import { parseJson } from './body.ts'
import { parse, parseTexts } from './mount.ts'
import { invalidInput, NoRoute, OriginRefused, problemAnswer } from './problems.ts'
import type { Channel, Route } from './route.ts'
import { newRequestId } from './surroundings.ts'

/** WebSocket: a declared route that says how it connects is opened here, and refused in plain HTTP if need be. */

interface Deps {
  routes: Route[]
  cors_origins: string[]
  public_url: string | undefined
  log: Log
}

/** Of a frame: as much as a POST may have. */
const maxPayload = 512 * 1024
const ping_ms = 15_000
/** Frames of one socket that are kept in memory until their turn. */
const mostWaiting = 64
/** To who does not answer the end with an end. */
const patience_ms = 1_000

export function createUpgrade({ routes, cors_origins, public_url, log }: Deps): (server: Server) => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false, clientTracking: false })
  const channels = new Map(routes.filter(({ connect }) => connect).map(route => [route.path, route]))

  /** A browser says from which page it comes; who says nothing is none. */
  function requireOrigin({ headers: { origin, host } }: IncomingMessage): void {
    if (origin === undefined || cors_origins.includes('*') || cors_origins.includes(origin)) return
    const own = [public_url ?? '', `http://${host}`, `https://${host}`].filter(url => URL.canParse(url))
    if (!own.some(url => new URL(url).origin === origin)) throw OriginRefused()
  }

  async function open(req: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    const request_id = newRequestId(req.headers['x-request-id'])
    duplex.on('error', () => {}) // it is gone, and with it whoever would want to know
    try {
      const target = req.url ?? ''
      if (!target.startsWith('/') || !URL.canParse(target, 'http://host')) throw NoRoute()
      const url = new URL(target, 'http://host')
      const route = channels.get(url.pathname)
      if (!route?.connect) throw NoRoute()
      requireOrigin(req)
      const query = parseTexts(route.query, 'query', Object.fromEntries(url.searchParams))
      const channel = await route.connect({ query })
      duplex.once('close', channel.closed) // also if it goes before it is open
      sockets.handleUpgrade(req, duplex, head, socket => converse(socket, channel, log))
    } catch (error) {
      duplex.write(refusal(error, request_id))
      ;(duplex as Socket).destroySoon() // `end` would wait for the other side, for as long as that likes
    }
  }

  function refusal(error: unknown, request_id: string): string {
    const { status, headers, text } = problemAnswer(error, request_id, log)
    const lines = [`HTTP/1.1 ${status} Refused`, `X-Request-Id: ${request_id}`, 'Connection: close']
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
    return `${[...lines, `Content-Length: ${Buffer.byteLength(text)}`].join('\r\n')}\r\n\r\n${text}`
  }

  return server => {
    server.on('upgrade', (req, duplex, head) => {
      if (req.headers.upgrade?.toLowerCase() === 'websocket') return open(req, duplex, head)
      // What else somebody would like to speak may be disregarded: they are answered in what they speak now.
      const res = new ServerResponse(req)
      res.assignSocket(duplex as Socket)
      res.on('finish', () => (duplex as Socket).destroySoon())
      return server.emit('request', req, res)
    })
  }
}

/** Hears frames, one after the other, and answers them. Who does not answer a ping is taken for gone. */
function converse(socket: WebSocket, channel: Channel, log: Log): void {
  let tail = Promise.resolve()
  let waiting = 0
  let answered = true
  const pinging = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, ping_ms)
  const send = (text: string) => new Promise<void>(resolve => socket.send(text, () => resolve()))

  socket.on('pong', () => {
    answered = true
  })
  socket.on('error', () => {}) // it is followed by its close
  socket.on('close', () => {
    clearInterval(pinging)
    channel.closed()
  })
  socket.on('message', data => {
    if (++waiting === mostWaiting) socket.pause() // who says more than that at once is heard later
    tail = tail.then(async () => {
      await send(await answerTo(String(data), channel, log))
      if (waiting-- === mostWaiting) socket.resume()
    })
  })
  channel.opened({
    send,
    close(code, reason) {
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), patience_ms).unref()
    },
  })
}

async function answerTo(text: string, { frames }: Channel, log: Log): Promise<string> {
  let ref: unknown
  try {
    const frame = Frame.safeParse(parseJson(text))
    if (!frame.success) throw invalidInput('body', frame.error)
    const { type, ref: given, ...rest } = frame.data
    ref = given
    const known = Object.hasOwn(frames, type) ? frames[type] : undefined
    if (!known) throw Invalid({ errors: [{ path: 'type', message: `must be ${Object.keys(frames).join(' or ')}` }] })
    const body = parse(known.body, 'body', rest)
    return JSON.stringify({ type: known.answer, ref, ...(await known.handle(body as never)) })
  } catch (error) {
    const problem = problemAnswer(error, newRequestId(undefined), log)
    return JSON.stringify({ type: 'problem', ref, problem: JSON.parse(problem.text) })
  }
}

const Frame = z.looseObject({ type: z.string(), ref: z.union([z.string().max(64), z.number()]).optional() })
