import cors from '@koa/cors'
import Koa, { type Context, type Next } from 'koa'
import type { Log } from '../kernel/log.ts'
import type { Metrics } from '../kernel/metrics.ts'
import { answerProblem } from './problems.ts'
import { UnreadableRequest } from './server.ts'
import { exposedHeaders, newRequestId, usualHeaders } from './surroundings.ts'
import { serveWeb } from './web.ts'

interface Deps {
  cors_origins: string[]
  /** HSTS is said only by who is known to be reached by https. */
  secure: boolean
  /** True once the process has been told to stop: every answer is then the last on its connection. */
  isStopping: () => boolean
  log: Log
  metrics: Metrics
}

/** Koa, and what surrounds every request: its id, its headers, its one log line, its measure, and its problem if any. */
export function createHttp({ cors_origins, secure, isStopping, log, metrics }: Deps): Koa {
  const koa = new Koa()
  koa.silent = true // a client that goes away in the middle of an answer is no error of ours

  async function surround(ctx: Context, next: Next): Promise<void> {
    const started = performance.now()
    const request_id = newRequestId(ctx.req.headers['x-request-id'])
    ctx.state.request_id = request_id
    ctx.set('X-Request-Id', request_id)
    for (let i = 0; i < headers.length; i += 2) ctx.res.setHeader(headers[i] ?? '', headers[i + 1] ?? '')
    try {
      requireReadable(ctx)
      await next()
    } catch (error) {
      answerProblem(ctx, error, log)
    }
    if (isStopping()) ctx.set('Connection', 'close')
    const { method, status } = ctx
    // The pattern, never the path: a path may hold a secret, as a calendar's link does.
    const route: string = ctx.state.route ?? 'unmatched'
    const ms = performance.now() - started
    metrics.observe(knownMethods.has(method) ? method : 'other', route, status, ms)
    log.info({ request_id, method, route, status, ms: Math.round(ms * 10) / 10 }, 'request')
  }

  const headers = usualHeaders(secure)
  koa.use(surround)
  koa.use(serveWeb())
  if (cors_origins.length > 0) koa.use(openTo(cors_origins))
  return koa
}

/** A target such as `http://[/` is a URL to Node's parser and not to its reader, which throws. */
function requireReadable({ req, request }: Context): void {
  const hostless = req.headers.host === undefined && req.httpVersion === '1.1'
  if (hostless) throw UnreadableRequest({ detail: 'Host is missing' })
  try {
    void request.path
  } catch {
    throw UnreadableRequest({ detail: 'The address is no URL' })
  }
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Tokens travel in a header and never in a cookie, so an open origin gives a page nothing that its user did not. */
const openTo = (origins: string[]) =>
  cors({
    origin: ctx => (origins.includes('*') ? '*' : (origins.find(origin => origin === ctx.get('Origin')) ?? '')),
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'X-Request-Id'],
    exposeHeaders: exposedHeaders,
    maxAge: 600,
  })
