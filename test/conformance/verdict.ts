import { isDeepStrictEqual } from 'node:util'
import type { Reply } from './http.ts'
import type { Problem, Signal } from './wire.ts'

/** How a promise is found kept or broken: what was expected, what came, in one line. */

export class Broken extends Error {}

/** The promise cannot be tried on this server, which is no fault of it. */
export class NotRun extends Error {}

export function holds(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Broken(sentence)
}

export function same(actual: unknown, expected: unknown, what: string): void {
  holds(isDeepStrictEqual(actual, expected), `${what}: ${show(actual)} instead of ${show(expected)}`)
}

/** All that is named is there, and lists are as long; what other members there may be is not looked at. */
export function matches(actual: unknown, part: unknown, what: string): void {
  const [found] = differences(actual, part, [what])
  if (found) throw new Broken(found)
}

function* differences(actual: unknown, part: unknown, path: string[]): Generator<string> {
  const isPlain = typeof part !== 'object' || part === null || typeof actual !== 'object' || actual === null
  if (isPlain) {
    if (!Object.is(actual, part)) yield `${path.join(', ')}: ${show(actual)} instead of ${show(part)}`
    return
  }
  if (Array.isArray(part) && Array.isArray(actual) && part.length !== actual.length) {
    yield `${path.join(', ')}: ${actual.length} instead of ${part.length}: ${show(actual)}`
  }
  const members = new Map(Object.entries(actual))
  for (const [name, member] of Object.entries(part)) yield* differences(members.get(name), member, [...path, name])
}

/** The body of an answer that has to be this one. */
export function accepted<Body>(reply: Reply<Body>, status = 200): Body {
  holds(reply.status === status, `${reply.asked} is answered ${told(reply)} instead of ${status}`)
  return reply.body
}

export function refused(reply: Reply<unknown>, status: number, code?: string, rest: Partial<Problem> = {}): Problem {
  const right = reply.status === status && (code === undefined || reply.problem.code === code)
  const expected = [status, code].filter(Boolean).join(' ')
  holds(right, `${reply.asked} is answered ${told(reply)} instead of ${expected}`)
  matches(reply.problem, rest, `the problem of ${reply.asked}`)
  return reply.problem
}

const told = ({ status, problem }: Reply<unknown>) => [status, problem?.code].filter(Boolean).join(' ')

/** What is the same however often, and by whatever node, it is delivered. */
export const contentOf = (signals: Signal[]) => signals.map(({ deliveries: _, ...content }) => content)
export const payloadsOf = (signals: Signal[]) => signals.map(({ payload }) => payload)
export const seqsOf = (signals: Signal[]) => signals.map(({ seq }) => seq)
export const typesOf = (signals: Signal[]) => signals.map(({ type }) => type)
/** The numbers from one to another, both included. */
export const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 160 ? `${text.slice(0, 110)} … ${text.slice(-40)}` : text
}
