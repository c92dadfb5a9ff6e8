import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { problem } from '../kernel/problem.ts'

/** The socket's side of HTTP: how long anything may take, and how a server stops without cutting anybody off. */

export const UnreadableRequest = problem(
  'malformed',
  'unreadable_request',
  'What was sent is not HTTP, or came too slowly',
)

export function createHttpServer(handler: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: 15_000, // a client that sends its headers byte by byte
      requestTimeout: 60_000, // … or its body; a held poll is an answer, and not limited by this
      keepAliveTimeout: 65_000, // longer than the minute after which load balancers let go, so that they do it first
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16 * 1024,
      requireHostHeader: false, // http/http asks for it, in the words of a problem
    },
    handler,
  )
  server.maxHeadersCount = 0 // bounded by their size; a count would drop the last ones without a word
  server.on('clientError', answerUnreadable)
  server.on('connect', (_request, socket) => socket.end(unreadableAnswer('CONNECT'))) // this is no proxy
  server.on('checkExpectation', handler) // an expectation that is unknown may be disregarded
  return server
}

/** What never became a request gets the plainest answer there is. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  // Node keeps there the answer that is under way; one that has begun cannot be followed by another.
  const begun = '_httpMessage' in socket && (socket._httpMessage as ServerResponse | null)?.headersSent
  if (socket.writable && error.code !== 'ECONNRESET' && !begun) socket.write(unreadableAnswer(error.code))
  socket.destroySoon() // `end` would wait for the other side, for as long as that likes
}

function unreadableAnswer(code = ''): string {
  const { status, title } = unreadable[code] ?? { status: 400, title: 'Bad Request' }
  const request_id = `req_${randomUUID()}`
  const detail = UnreadableRequest.title
  const body = {
    type: `/docs#${UnreadableRequest.code}`,
    title,
    status,
    detail,
    code: UnreadableRequest.code,
    request_id,
  }
  const text = JSON.stringify(body)
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-Id: ${request_id}`,
    'Connection: close',
  ]
  return `${headers.join('\r\n')}\r\n\r\n${text}`
}

const unreadable: { [code: string]: { status: number; title: string } } = {
  CONNECT: { status: 405, title: 'Method Not Allowed' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, title: 'Request Timeout' },
  HPE_HEADER_OVERFLOW: { status: 431, title: 'Request Header Fields Too Large' },
}

/** Resolves once it is reachable, with the address that it got (port 0 asks for any that is free). */
export function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('Not listening on a port'))
      resolve(address)
    })
  })
}

/** Connections on which nothing has been asked yet: Node does not count them as idle, and would wait for them. */
function watchUnused(server: Server): Set<Socket> {
  const unused = new Set<Socket>()
  server.on('connection', socket => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  server.on('upgrade', ({ socket }) => unused.delete(socket))
  return unused
}

/**
 * Makes the way to stop: takes no new connection, lets what is running finish, and after `patience_ms` cuts off what has
 * not. (Each answer then says that its connection ends with it: http/http.)
 */
export function createDrain(server: Server): (patience_ms: number) => Promise<void> {
  const unused = watchUnused(server)
  return patience_ms =>
    new Promise((resolve, reject) => {
      const deadline = setTimeout(() => server.closeAllConnections(), patience_ms)
      server.close(error => {
        clearTimeout(deadline)
        if (error) reject(error)
        else resolve()
      })
      server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    })
}
