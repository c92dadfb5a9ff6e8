import type { Context } from 'koa'
import { z } from 'zod'
import { isConflict, isUnreachable } from '../db/errors.ts'
import type { Log } from '../kernel/log.ts'
import {
  AccountNeeded,
  type FieldError,
  Invalid,
  Problem,
  type ProblemKind,
  type ProblemType,
  problem,
  RateLimited,
  Stale,
  Unauthenticated,
  Unavailable,
} from '../kernel/problem.ts'
import { BodyTooLarge, BrokenOff, MalformedJson, WrongMediaType } from './body.ts'
import { IdempotencyInProgress, IdempotencyMismatch, IdempotencyUnknown } from './idempotency/service.ts'
import { isBytes, isFile, type Route, takesBody } from './route.ts'

/** The one place that knows which status a problem has, and that turns what was thrown into an answer. */

export const statusOf: Record<ProblemKind, number> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  wrong_method: 405,
  conflict: 409,
  gone: 410,
  stale: 412,
  too_large: 413,
  unsupported: 415,
  invalid: 422,
  limited: 429,
  unavailable: 503,
  no_room: 507,
  out_of_range: 416,
}

export const NoRoute = problem('not_found', 'route_not_found', 'There is nothing at this address')
export const WrongMethod = problem('wrong_method', 'method_not_allowed', 'This address does not answer that method')
export const OriginRefused = problem('forbidden', 'origin_refused', 'Pages of this origin may not open a channel')
export const RangeNotSatisfiable = problem('out_of_range', 'range_not_satisfiable', 'There is no such part of the file')
export const Internal = { code: 'internal', title: 'Something went wrong on our side' }

/** RFC 9457, with our `code`, the id to quote to an operator, and each wrong field. */
export const ProblemReply = z
  .object({
    type: z.string().meta({ examples: ['/docs#email_taken'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    request_id: z.string(),
    reason: z.string().optional(),
    expected: z.int().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })

/** All that a route may answer instead of its reply: what it says itself, and what follows from how it is declared. */
export function problemsOf(route: Route): ProblemType[] {
  const limited = route.limits !== undefined && !route.problems?.some(({ code }) => code === RateLimited.code)
  return [
    ...(route.problems ?? []),
    ...(route.access === 'anyone' ? [] : [Unauthenticated]),
    ...(route.access === 'user' ? [AccountNeeded] : []),
    ...(route.connect ? [OriginRefused] : []),
    ...(isBytes(route.body)
      ? [BrokenOff, BodyTooLarge, WrongMediaType]
      : takesBody(route)
        ? [MalformedJson, BodyTooLarge, WrongMediaType]
        : []),
    ...(isFile(Object.values(route.reply)[0] ?? null) ? [RangeNotSatisfiable] : []),
    Invalid, // an unknown query parameter, if nothing else
    ...(limited ? [RateLimited] : []),
    ...(route.if_match ? [Stale] : []),
    ...(route.idempotent ? [IdempotencyMismatch, IdempotencyInProgress, IdempotencyUnknown] : []),
    ...(route.problems?.some(({ code }) => code === Unavailable.code) ? [] : [Unavailable]),
  ]
}

export function answerProblem(ctx: Context, error: unknown, log: Log): void {
  const { status, headers, text } = problemAnswer(error, ctx.state.request_id, log)
  ctx.status = status
  for (let i = 0; i < headers.length; i += 2) ctx.set(headers[i] ?? '', headers[i + 1] ?? '')
  ctx.body = text
}

/** The headers are names and values in turn. */
export function problemAnswer(
  error: unknown,
  request_id: string,
  log: Log,
): { status: number; headers: string[]; text: string } {
  const known = toProblem(error)
  if (!known) log.error({ request_id, err: error }, 'bug')
  else if (known !== error) log.error({ request_id, err: error }, 'database away or too busy')

  const { detail, errors, reason, expected, retry_after_s, allow, size } = known?.extra ?? {}
  const status = known ? statusOf[known.kind] : 500
  const { code, title } = known ? { code: known.code, title: known.message } : Internal
  const headers = ['Content-Type', 'application/problem+json']
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer')
  if (allow) headers.push('Allow', allow.join(', '))
  if (size !== undefined) headers.push('Content-Range', `bytes */${size}`)
  const mayRetry = status === 429 || status === 503 || retry_after_s !== undefined
  if (mayRetry) headers.push('Retry-After', String(retry_after_s ?? 1))
  const text = JSON.stringify({
    type: `/docs#${code}`,
    title,
    status,
    detail,
    code,
    request_id,
    reason,
    expected,
    errors,
  })
  return { status, headers, text }
}

function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  // A conflict comes here after it has been tried again and again: the database is too busy.
  return isUnreachable(error) || isConflict(error) ? Unavailable() : undefined
}

export type InputPart = 'params' | 'query' | 'body'

/** Zod's findings as the fields of a problem; an unknown member is named, not just counted. */
export function invalidInput(part: InputPart, { issues }: z.ZodError): Problem {
  const errors = issues.flatMap(({ path, ...issue }): FieldError[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }]
    const message = part === 'query' ? 'is not a parameter of this address' : 'is not a member of this body'
    return issue.keys.map(key => ({ path: [...path, key].join('.'), message }))
  })
  return Invalid({ errors })
}
