import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type Fault, faults } from './relay/inbox.ts'
import { Refusal, unauthenticated } from './relay/refusal.ts'
import { createRoutes } from './relay/routes.ts'

/**
 * A relay in memory that speaks just enough of the API to keep every promise, and can be given one fault: each of those
 * that relays are known for. With it the suite is seen to fail, by the sentence that names the fault.
 */
export { type Fault, faults }

export async function startRelay(fault?: Fault) {
  const { routes, sweep } = createRoutes(fault)
  /** Whose a token is. */
  const users = new Map<string, string>()
  const patterns = Object.entries(routes).map(([operation, handle]) => ({
    pattern: new RegExp(`^${operation.replaceAll(':id', '([^/]+)')}$`),
    handle,
  }))

  async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://relay')
    const operation = `${request.method} ${pathname}`
    if (operation === 'POST /api/auth/register') return [201, register()]
    const user = users.get(request.headers.authorization ?? '')
    if (user === undefined) throw unauthenticated()
    const route = patterns.find(({ pattern }) => pattern.test(operation))
    if (!route) throw new Refusal(404, 'route_not_found')
    const params = route.pattern.exec(operation)?.slice(1) ?? []
    const body = await route.handle({ user, params, query: searchParams, body: await readJson(request) })
    return [/\/(meetings|invitations|join)$/.test(operation) ? 201 : 200, body]
  }

  function register() {
    const [user, token] = [`usr_${randomUUID()}`, randomUUID()]
    users.set(`Bearer ${token}`, user)
    return { user: { id: user }, access_token: token }
  }

  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request).catch(problemOf)
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
    response.writeHead(status, status === 429 ? { ...headers, 'Retry-After': '1' } : headers)
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sweeping = setInterval(sweep, 50)
  const address = server.address()

  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address?.port}`,
    stop(): void {
      clearInterval(sweeping)
      server.close()
      server.closeAllConnections()
    },
  }
}

function problemOf(error: unknown): [status: number, body: unknown] {
  if (!(error instanceof Refusal)) return [500, { code: 'internal', title: String(error), status: 500 }]
  const { status, code, extra } = error
  return [status, { type: `/docs#${code}`, title: code, status, code, request_id: randomUUID(), ...extra }]
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text === '' ? {} : JSON.parse(text)
}
