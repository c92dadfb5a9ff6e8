import { Readable } from 'node:stream'
import Router from '@koa/router'
import type Koa from 'koa'
import type { Context } from 'koa'
import { z } from 'zod'
import { callerId } from '../kernel/caller.ts'
import type { Limiter } from '../kernel/limiter.ts'
import { Invalid } from '../kernel/problem.ts'
import type { Auth } from './auth.ts'
import { isStorable, readJson, readStream } from './body.ts'
import type { Client } from './client.ts'
import { answerDownload } from './download.ts'
import type { createIdempotency } from './idempotency/service.ts'
import { createLimitCheck } from './limits.ts'
import { type InputPart, invalidInput, NoRoute, WrongMethod } from './problems.ts'
import {
  carriesSecret,
  Download,
  isBytes,
  isFile,
  isText,
  nothing,
  Rendered,
  type Route,
  successesOf,
  takesBody,
} from './route.ts'

interface Deps {
  koa: Koa
  routes: Route[]
  auth: Auth
  clientOf(request: Context['req']): Client
  limiter: Limiter
  idempotency: ReturnType<typeof createIdempotency>
}

type Serve = (ctx: Context, params: object) => Promise<void>

/**
 * Puts the declared routes into Koa, and behind them the answer to whatever none of them matches. A path without
 * parameters is looked up, for the busiest are of that kind; the router tries the others one after the other.
 */
export function mount({ koa, routes, ...deps }: Deps): void {
  const fixed = new Map<string, Serve>()
  const router = new Router({ strict: true, sensitive: true })
  for (const route of routes) {
    const serve = createServe(route, deps)
    if (!route.path.includes(':')) fixed.set(`${route.method} ${route.path}`, serve)
    router.register(route.path, [route.method], ctx => serve(ctx, ctx.params))
  }
  koa.use((ctx, next) => fixed.get(`${ctx.method} ${ctx.path}`)?.(ctx, {}) ?? next())
  koa.use(router.routes())
  koa.use(refuseUnmatched)
}

function createServe(route: Route, { auth, clientOf, limiter, idempotency }: Omit<Deps, 'koa' | 'routes'>): Serve {
  const operation = `${route.method} ${route.path}`
  const successes = successesOf(route)
  const [usual] = successes
  if (!usual || (successes.length > 1 && !route.statusOf)) throw new Error(`${operation} does not say how it answers`)
  if (route.idempotent && carriesSecret(route)) throw new Error(`${operation} would store the secret in its answer`)
  const spend = createLimitCheck(limiter, operation, route.limits)
  const alternatives = route.also && Object.keys(route.also)

  /** The order matters: nobody's body is read before it is known whether they may send one at all. */
  async function answer(ctx: Context, texts: object): Promise<unknown> {
    const client = clientOf(ctx.req)
    spend('address', () => client.network)
    const caller = await auth.admit(route.access, ctx.req, client)
    if (caller && 'tenant_id' in caller) spend('account', () => callerId(caller))

    const params = parseTexts(route.params, 'params', texts)
    const query = ctx.querystring === '' && !route.query ? {} : parseTexts(route.query, 'query', ctx.query)
    const if_match = route.if_match ? readIfMatch(ctx) : undefined
    const body = await bodyOf(ctx, route)
    const request = {
      caller,
      params,
      query,
      body,
      client,
      if_match,
      get gone() {
        return goneSignal(ctx)
      },
      whenGone: (work: () => void) => whenGone(ctx, work),
      header: (name: string) => [ctx.req.headers[name] ?? []].flat()[0],
    }
    const other = alternatives && (ctx.accepts('application/json', ...alternatives) || 'application/json')
    if (other && other !== 'application/json') {
      ctx.type = other
      return route.also?.[other]?.(request)
    }

    const key = route.idempotent ? ctx.get('Idempotency-Key') : ''
    if (key === '' || caller === undefined || !('tenant_id' in caller)) return route.handle(request)
    const claim = { key, caller, request: [operation, params, query, body] }
    const done = await idempotency.run(claim, async () => route.handle(request))
    if (done.replayed) ctx.set('Idempotency-Replayed', 'true')
    return done.answer
  }

  return async (ctx, params) => {
    ctx.state.route = route.path
    const value = await answer(ctx, params)
    const status = route.statusOf?.(value) ?? usual.status
    const reply = route.reply[status] ?? nothing
    ctx.status = status
    if (route.headers) ctx.set(route.headers)
    const location = route.location?.(value)
    if (location !== undefined) ctx.set('Location', location)
    const tag = tagOf(route, value)
    if (tag !== undefined) ctx.set('ETag', `"${tag}"`)
    if (tag !== undefined && 'if-none-match' in ctx.req.headers && ctx.fresh) ctx.status = 304
    else if (alternatives?.includes(ctx.response.type)) ctx.body = value
    else if (value instanceof Download) await answerDownload(ctx, value.file)
    else if (reply !== nothing && !isFile(reply)) {
      ctx.set('Content-Type', isText(reply) ? reply.content_type : 'application/json; charset=utf-8')
      ctx.body = isText(reply) ? streamed(value) : value instanceof Rendered ? value.text : JSON.stringify(value)
    }
  }
}

async function bodyOf({ req }: Context, route: Route): Promise<unknown> {
  if (isBytes(route.body)) return readStream(req, route.body_limit)
  return takesBody(route) ? parse(route.body, 'body', await readJson(req, route)) : undefined
}

/** A path may have matched with another method: then that is the fault, and the answer names the right ones. */
async function refuseUnmatched(ctx: Context): Promise<void> {
  const matched: { methods: string[] }[] = ctx.matched ?? []
  if (matched.length === 0) throw NoRoute()
  const allow = [...new Set(matched.flatMap(({ methods }) => methods)), 'OPTIONS']
  if (ctx.method !== 'OPTIONS') throw WrongMethod({ allow })
  ctx.set('Allow', allow.join(', '))
  ctx.status = 204
}

/** A text that goes on is sent as it comes. */
const streamed = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
    ? Readable.from(value as AsyncIterable<string>)
    : value

function whenGone({ res }: Context, work: () => void): void {
  if (res.closed) work()
  else res.once('close', work)
}

/** Made only for who asks, since few wait. */
function goneSignal(ctx: Context): AbortSignal {
  const controller = new AbortController()
  ctx.res.once('close', () => controller.abort())
  if (ctx.res.closed) controller.abort()
  return controller.signal
}

const noMembers = z.strictObject({})

export function parse(schema: z.ZodType = noMembers, part: InputPart, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidInput(part, parsed.error)
  return parsed.data
}

/** A path or query brings texts of its own, which the check of the body has not seen. */
export function parseTexts(schema: z.ZodType | undefined, part: InputPart, texts: object): unknown {
  for (const [name, text] of Object.entries(texts)) {
    if (isStorable(name) && isStorable(String(text))) continue
    throw Invalid({ errors: [{ path: name, message: 'has a character that is not text' }] })
  }
  return parse(schema, part, texts)
}

function tagOf({ etag }: Route, value: unknown): string | undefined {
  if (typeof etag === 'function') return etag(value)
  return etag ? `${typeof value === 'object' && value !== null && 'version' in value ? value.version : ''}` : undefined
}

/** The versions that an If-Match names. A weak or foreign tag names none, and so never matches. */
function readIfMatch(ctx: Context): number[] | undefined {
  const header = ctx.get('If-Match').trim()
  if (header === '' || header === '*') return undefined
  return [...header.matchAll(/(?<![^\s,])"(\d{1,15})"(?![^\s,])/g)].map(([, version]) => Number(version))
}
