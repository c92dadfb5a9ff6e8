import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** The socket's side of HTTP: how long anything may take, and how a server stops without cutting anybody off. */

export function createHttpServer(handler: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: 15_000, // a client that sends its headers byte by byte
      requestTimeout: 60_000, // … or its body; a held poll is an answer, and not limited by this
      keepAliveTimeout: 65_000, // longer than the minute after which load balancers let go, so that they do it first
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16 * 1024,
    },
    handler,
  )
  server.maxHeadersCount = 100
  server.on('clientError', answerUnreadable)
  return server
}

/** What never became a request gets the plainest answer there is. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, title } = unreadable[error.code ?? ''] ?? { status: 400, title: 'Bad Request' }
  const body = JSON.stringify({ type: 'about:blank', title, status, code: 'unreadable_request' })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  )
}

const unreadable: { [code: string]: { status: number; title: string } } = {
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

/**
 * Takes no new connection, lets what is running finish, and after `patience_ms` cuts off what has not. (Each answer now
 * says that its connection ends with it: http/http.)
 */
export function drain(server: Server, patience_ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => server.closeAllConnections(), patience_ms)
    server.close(error => {
      clearTimeout(deadline)
      if (error) reject(error)
      else resolve()
    })
    server.closeIdleConnections()
  })
}
