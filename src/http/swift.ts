import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Log } from '../kernel/log.ts'
import type { Metrics } from '../kernel/metrics.ts'
import type { Auth } from './auth.ts'
import { readJson } from './body.ts'
import type { Client } from './client.ts'
import { parse, parseTexts } from './mount.ts'
import { problemAnswer } from './problems.ts'
import { isBytes, Rendered, type Route, successesOf, takesBody } from './route.ts'
import { corsHeaders, dataHeaders, newRequestId, usualHeaders } from './surroundings.ts'

/**
 * The way below Koa, for the few calls that a busy server spends its time on. They are declared as all others are, and
 * answered alike: the same schemas, callers, problems, measures, and the headers that matter to a program. What is left out is what they do not use, which
 * costs as much as they do themselves (ARCHITECTURE has the figures).
 */

interface Deps {
  routes: Route[]
  auth: Auth
  clientOf(request: IncomingMessage): Client
  cors_origins: string[]
  secure: boolean
  isStopping: () => boolean
  log: Log
  metrics: Metrics
}

interface Swift {
  route: Route
  status: number
  observe(status: number, ms: number): void
}

/** Answers what it can, and hands on the rest. */
export function createSwift({ routes, ...deps }: Deps, otherwise: RequestListener): RequestListener {
  const swift = new Map<string, Swift>()
  for (const route of routes) if (route.swift) swift.set(`${route.method} ${route.path}`, prepare(route, deps.metrics))

  return (req, res) => {
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const found = swift.get(`${req.method} ${mark < 0 ? url : url.slice(0, mark)}`)
    if (found && req.headers.host !== undefined) serve(found, req, res, mark < 0 ? '' : url.slice(mark + 1), deps)
    else otherwise(req, res)
  }
}

function prepare(route: Route, metrics: Metrics): Swift {
  const { method, path } = route
  const [usual, ...others] = successesOf(route)
  const plain = !route.params && !route.limits && !route.idempotent && !route.etag && !route.also && !route.location
  if (!usual || others.length > 0 || !plain) throw new Error(`${method} ${path} declares what it cannot have as swift`)
  return { route, status: usual.status, observe: (status, ms) => metrics.observe(method, path, status, ms) }
}

/** What a handler is given, made as it is asked for. */
class SwiftRequest {
  readonly params = undefined
  readonly if_match = undefined
  readonly caller: unknown
  readonly query: unknown
  readonly body: unknown
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly clientOf: Deps['clientOf']

  constructor(
    parsed: { caller: unknown; query: unknown; body: unknown },
    req: IncomingMessage,
    res: ServerResponse,
    clientOf: Deps['clientOf'],
  ) {
    this.caller = parsed.caller
    this.query = parsed.query
    this.body = parsed.body
    this.req = req
    this.res = res
    this.clientOf = clientOf
  }

  get client(): Client {
    return this.clientOf(this.req)
  }

  get gone(): AbortSignal {
    const controller = new AbortController()
    this.whenGone(() => controller.abort())
    return controller.signal
  }

  get whenGone() {
    const { res } = this
    return (work: () => void): void => {
      if (res.closed) work()
      else res.once('close', work)
    }
  }

  get header() {
    const { headers } = this.req
    return (name: string): string | undefined => [headers[name] ?? []].flat()[0]
  }
}

async function serve(
  swift: Swift,
  req: IncomingMessage,
  res: ServerResponse,
  query: string,
  deps: Omit<Deps, 'routes'>,
) {
  const { route } = swift
  const started = performance.now()
  const request_id = newRequestId(req.headers['x-request-id'])
  let status = swift.status
  let text: string
  let more: string[] = json
  try {
    const admitted = deps.auth.admit(route.access, req)
    const caller = admitted instanceof Promise ? await admitted : admitted
    const body =
      takesBody(route) && !isBytes(route.body) ? parse(route.body, 'body', await readJson(req, route)) : undefined
    const parsed = { caller, query: parseTexts(route.query, 'query', textsOf(query)), body }
    const handled = route.handle(new SwiftRequest(parsed, req, res, deps.clientOf) as never)
    const value = handled instanceof Promise ? await handled : handled
    text = value instanceof Rendered ? value.text : JSON.stringify(value)
  } catch (error) {
    const answer = problemAnswer(error, request_id, deps.log)
    status = answer.status
    text = answer.text
    more = answer.headers
  }
  const ms = performance.now() - started
  swift.observe(status, ms)
  const level = status < 500 ? 'debug' : 'info'
  if (deps.log.isLevelEnabled(level)) {
    const { method, path } = route
    deps.log[level]({ request_id, method, route: path, status, ms: Math.round(ms * 10) / 10 }, 'request')
  }
  const headers = ['X-Request-Id', request_id, 'Content-Length', String(Buffer.byteLength(text))]
  headers.push(...more, ...(deps.secure ? usualHeaders(true) : dataHeaders))
  headers.push(...corsHeaders(deps.cors_origins, req.headers.origin))
  if (deps.isStopping()) headers.push('Connection', 'close')
  res.writeHead(status, headers)
  res.end(text)
}

const json = ['Content-Type', 'application/json; charset=utf-8']

/** As a query is read elsewhere: what is said twice is a list, and so not what a schema takes for one. */
function textsOf(query: string): object {
  if (query === '') return {}
  const texts: { [name: string]: string | string[] } = {}
  for (const pair of query.split('&')) {
    const mark = pair.indexOf('=')
    const name = decode(mark < 0 ? pair : pair.slice(0, mark))
    const value = decode(mark < 0 ? '' : pair.slice(mark + 1))
    const known = texts[name]
    if (name === '__proto__') return new URLSearchParams(query) // refused like every name that is unknown
    texts[name] = known === undefined ? value : [known, value].flat()
  }
  return texts
}

/** Leniently, as a URL is: what is no encoding stands for itself. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text
  return new URLSearchParams(`x=${text}`).get('x') ?? ''
}
