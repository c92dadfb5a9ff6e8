import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Bearer, Caller, GuestCaller, UserCaller } from '../kernel/caller.ts'
import type { ProblemType } from '../kernel/problem.ts'
import type { Readers } from './body.ts'
import type { Client } from './client.ts'

/**
 * A route is a declaration. The router, the validator and the OpenAPI document all read this one object, so a route
 * cannot be undocumented, open by oversight, or take what it does not name.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * `anyone` needs no token; `optional` needs none but hears who has one; `participant` needs the access token of an
 * account or the token of a guest; `bearer` the same, but whether it still stands is left to the service; `user` needs
 * that of an account; `operator` calls from this machine or has the token that METRICS_TOKEN sets.
 */
export type Access = 'anyone' | 'optional' | 'participant' | 'bearer' | 'user' | 'operator'

/** So many calls, at once or spread, and as many again over each further period; by the caller's address or account. */
export interface Limit {
  by: 'address' | 'account'
  amount: number
  per_s: number
}
export const perAddress = (amount: number, per_s: number): Limit => ({ by: 'address', amount, per_s })
export const perAccount = (amount: number, per_s: number): Limit => ({ by: 'account', amount, per_s })

/** JSON that is a text already, of a schema that says what is in it. */
export class Rendered {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A reply that is not JSON: `reply: { 200: text('text/html') }`. */
export interface TextReply {
  content_type: string
}
export const text = (content_type: string): TextReply => ({ content_type })

/** A reply that is a file, or a part of one: `reply: { 200: file('video/webm', 'text/plain') }`. */
export interface FileReply {
  file_types: readonly string[]
}
export const file = (...file_types: string[]): FileReply => ({ file_types })

/** A file, and what there is to be said of it. */
export interface Handed {
  /** What it is to be called; whatever it says, it is safe in a header. */
  name: string
  content_type: string
  size: number
  /** The same for the same bytes. */
  etag: string
  modified_at: string
  /** Both ends are included. */
  open(start: number, end: number): Promise<Readable>
}

/** An answer that is a file (download.ts). */
export class Download {
  readonly file: Handed
  constructor(file: Handed) {
    this.file = file
  }
}

/** A reply without a body: `reply: { 204: nothing }`. */
export const nothing = null

/** A WebSocket, once it is open. */
export interface Socket {
  send(text: string): Promise<void>
  close(code: number, reason: string): void
}

/** What is said over one: frames of JSON, each with a `type`, and answered with the same `ref` if it has one. */
export interface Channel {
  /** By the type of a frame: what else is in it, the type of its answer, and what it does. One after the other. */
  frames: { [type: string]: { body: z.ZodType; answer: string; handle(body: never): Promise<object> } }
  opened(socket: Socket): void
  closed(): void
}

type Reply = z.ZodType | TextReply | FileReply | typeof nothing
type Answer<R extends Reply> = R extends z.ZodType
  ? z.output<R>
  : R extends TextReply
    ? string
    : R extends FileReply
      ? Download
      : unknown

/** A handler may have written its JSON itself, or go on writing a text for as long as it likes. */
type Handled<R extends Reply> = Answer<R> | Rendered | (R extends TextReply ? AsyncIterable<string> : never)

interface CallerOfAccess {
  anyone: undefined
  optional: UserCaller | GuestCaller | undefined
  participant: UserCaller | GuestCaller
  bearer: Bearer
  user: UserCaller
  operator: undefined
}
type CallerOf<A extends Access> = CallerOfAccess[A]

// biome-ignore lint/suspicious/noExplicitAny: what a schema accepts is its own affair; its output is what is used here
type Schema = z.ZodObject<any>
type Parsed<S> = S extends z.ZodType ? z.output<S> : S extends Bytes ? AsyncIterable<Buffer> : undefined

/** A body of bytes, which nobody parses: `body: bytes`. It comes as it arrives, and is never held as a whole. */
export interface Bytes {
  takes: 'bytes'
}
export const bytes: Bytes = { takes: 'bytes' }

/** What a handler is given: everything has been checked. */
export interface Request<A extends Access, Params, Query, Body> {
  caller: CallerOf<A>
  params: Parsed<Params>
  query: Parsed<Query>
  body: Parsed<Body>
  /** From where and with what the call came. */
  client: Client
  /** The versions that If-Match accepts; undefined when the caller will take any. */
  if_match: number[] | undefined
  /** Raised when the caller has gone away, for who would wait on their behalf. */
  gone: AbortSignal
  /** The same, for who does not need a signal. Called, too, when all has been answered. */
  whenGone(work: () => void): void
  header(name: string): string | undefined
}

export interface Declaration<
  A extends Access = Access,
  R extends Reply = Reply,
  Params extends Schema | undefined = Schema | undefined,
  Query extends Schema | undefined = Schema | undefined,
  Body extends Schema | Bytes | undefined = Schema | Bytes | undefined,
> {
  /** A short imperative sentence; its words also make the operation's id. */
  summary: string
  /** What the summary cannot say, in Markdown. */
  description?: string
  access: A
  params?: Params
  query?: Query
  body?: Body
  /** What success looks like, by its status. */
  reply: { [status: number]: R }
  /** Which of the statuses an answer has, where there are several. */
  statusOf?: (answer: Answer<R>) => number
  /** The same in other media types, for who asks by Accept. */
  also?: { [content_type: string]: (request: Request<A, Params, Query, Body>) => Promise<string> }
  /** Takes its body in other media types, too: how a text of each is read as what the schema checks. */
  reads?: Readers
  /** The most bytes that its body may have, where that is not what is usual. */
  body_limit?: number
  /** Opens a WebSocket (upgrade.ts); what it throws is answered in plain HTTP. */
  connect?(request: { query: Parsed<Query> }): Promise<Channel>
  /** Served below Koa (swift.ts): for a path without parameters, and without what is not there. */
  swift?: boolean
  /** Takes its JSON as text/plain, too: the one way in which a page that is being closed can still send. */
  beacon?: boolean
  /** What the service may throw; what follows from the declaration itself is added by `problemsOf`. */
  problems?: readonly ProblemType[]
  limits?: readonly Limit[]
  /** Honours Idempotency-Key. Refused on a reply that carries a secret, for the answer is stored. */
  idempotent?: boolean
  /**
   * The reply has a `version`: it is sent as ETag, and a GET answers 304 to who has it already. Or else says what its tag
   * is, if it has one.
   */
  etag?: boolean | ((answer: Answer<R>) => string | undefined)
  /** Honours If-Match, by passing it on as `if_match`. */
  if_match?: boolean
  /** Where what was created can be found, if anything was. */
  location?: (answer: Answer<R>) => string | undefined
  /** Headers that every answer of this route has. */
  headers?: { [name: string]: string }
  handle(request: Request<A, Params, Query, Body>): Handled<R> | Promise<Handled<R>>
}

/** A declaration as the machinery sees it: its types have done their work. */
export interface Route extends Omit<Declaration, 'handle' | 'location' | 'statusOf' | 'also' | 'connect' | 'etag'> {
  method: Method
  /** As the router reads it: `/api/meetings/:meeting_id`. */
  path: string
  handle(request: AnyRequest): unknown
  location?: (answer: unknown) => string | undefined
  etag?: boolean | ((answer: unknown) => string | undefined)
  connect?(request: { query: unknown }): Promise<Channel>
  statusOf?: (answer: unknown) => number
  also?: { [content_type: string]: (request: AnyRequest) => Promise<string> }
}

interface AnyRequest
  extends Omit<Request<Access, undefined, undefined, undefined>, 'caller' | 'params' | 'query' | 'body'> {
  caller: Caller | Bearer | undefined
  params: unknown
  query: unknown
  body: unknown
}

export function route<
  A extends Access,
  R extends Reply,
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
  Body extends Schema | Bytes | undefined = undefined,
>(line: `${Method} /${string}`, declaration: Declaration<A, R, Params, Query, Body>): Route {
  const [method, path] = line.split(' ') as [Method, string]
  // The one place where types are let go: mount hands `handle` exactly what these schemas made.
  return { ...(declaration as unknown as Route), method, path }
}

/** The statuses of success and what is in each. */
export const successesOf = ({ reply }: Pick<Route, 'reply'>): { status: number; reply: Reply }[] =>
  Object.entries(reply).map(([status, each]) => ({ status: Number(status), reply: each }))

/** Whether the reply has a field of kernel/fields' `Secret`. */
export function carriesSecret({ reply }: Pick<Route, 'reply'>): boolean {
  return Object.values(reply).some(schema => {
    if (schema === nothing || isText(schema) || isFile(schema)) return false
    return JSON.stringify(z.toJSONSchema(schema, { io: 'output' })).includes('"format":"password"')
  })
}

/** A POST without a schema takes an empty body and no other. */
export const takesBody = ({ method, body }: Pick<Route, 'method' | 'body'>) => body !== undefined || method === 'POST'

export const isText = (reply: Reply): reply is TextReply => reply !== null && 'content_type' in reply
export const isFile = (reply: Reply): reply is FileReply => reply !== null && 'file_types' in reply
export const isBytes = (body: Route['body']): body is Bytes => body !== undefined && 'takes' in body
