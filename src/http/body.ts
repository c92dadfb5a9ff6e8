import type { IncomingMessage } from 'node:http'
import { Invalid, type Problem, problem } from '../kernel/problem.ts'

/** Reads a JSON body, and refuses every kind of text that would do harm further in. */

export const MalformedJson = problem('malformed', 'malformed_json', 'The body is not JSON')
export const BodyTooLarge = problem('too_large', 'body_too_large', 'The body is larger than this route takes')
export const BrokenOff = problem('malformed', 'body_broken_off', 'The body ended before it was complete')
export const WrongMediaType = problem(
  'unsupported',
  'unsupported_media_type',
  'The body is of a media type that is not taken here',
)

const usualLimit = 128 * 1024
const maxDepth = 32

/** How a text of another media type is read: as what the schema then checks. */
export interface Readers {
  [content_type: string]: (text: string) => unknown
}

interface Taken {
  beacon?: boolean
  body_limit?: number
  reads?: Readers
}

/** An absent body reads as `{}`, so that the schema names the members that are missing. */
export async function readJson(
  request: IncomingMessage,
  { beacon = false, body_limit = usualLimit, reads = {} }: Taken = {},
): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': chunked } = request.headers
  if (chunked === undefined && (length === undefined || length === '0')) return {}
  const type = knownType(request, ['application/json', ...(beacon ? ['text/plain'] : []), ...Object.keys(reads)])

  const bytes = await readBytes(request, body_limit)
  if (bytes.length === 0) return {}
  const text = decodeText(bytes)
  const read = reads[type]
  if (!read) return parseJson(text)
  if (!isStorable(text)) throw invalidBody('has a NUL in it')
  return read(text)
}

/**
 * A body as it arrives. One that is announced to be too long is refused before anything of it is read, and what is left
 * of one that nobody wants any more does not keep the answer from being sent.
 */
export function readStream(request: IncomingMessage, limit: number = usualLimit): AsyncIterable<Buffer> {
  const { 'content-length': length, 'content-encoding': encoding = 'identity' } = request.headers
  const tooLarge = () => BodyTooLarge({ detail: `The limit is ${limit} bytes` })
  if (encoding !== 'identity') throw WrongMediaType({ detail: 'A compressed body is not taken; send it as it is' })
  if (Number(length ?? 0) > limit) throw tooLarge()

  async function* arriving(): AsyncGenerator<Buffer> {
    let size = 0
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        size += chunk.length
        if (size > limit) throw tooLarge()
        yield chunk
      }
    } catch (error) {
      throw request.errored ? BrokenOff() : error
    } finally {
      request.resume() // what is left of it is passed over, for the next request on this connection comes behind it
    }
  }
  return arriving()
}

/** A compressed body is refused unread: nobody needs one here, and a kilobyte of gzip may hold a gigabyte. */
function knownType({ headers }: IncomingMessage, types: string[]): string {
  const [first = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  const type = first.trim()
  if (!types.includes(type)) throw WrongMediaType({ detail: `It must be ${types.join(' or ')}` })
  const charset = parameters.map(parameter => parameter.trim()).find(parameter => parameter.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset)) {
    throw WrongMediaType({ detail: 'Text is always UTF-8' })
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw WrongMediaType({ detail: 'A compressed body is not taken; send it as it is' })
  }
  return type
}

/** Node itself sees to it that a body is as long as it was announced to be. */
function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => BodyTooLarge({ detail: `The limit is ${limit} bytes` })
    if (Number(request.headers['content-length'] ?? 0) > limit) return reject(tooLarge())
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) settle(tooLarge())
      else chunks.push(chunk)
    }
    const onEnd = () => settle()
    const onClose = () => settle(MalformedJson({ detail: 'The body broke off' }))
    const settle = (problem?: Problem) => {
      request.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose)
      const [first, ...others] = chunks
      if (!problem) return resolve(first && others.length === 0 ? first : Buffer.concat(chunks))
      request.pause().on('error', () => {}) // what is left of it is none of our business
      reject(problem)
    }
    request.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose)
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON that came by another way than a body. */
export function parseJson(text: string): unknown {
  const value = parse(text)
  if (!isPlain(text)) refuseHarm(value)
  return value
}

function decodeText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw MalformedJson({ detail: 'Parsing stopped for it is not UTF-8' })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const where = error instanceof SyntaxError ? /at position \d+/.exec(error.message)?.[0] : undefined
    throw MalformedJson(where ? { detail: `Parsing stopped ${where}` } : {})
  }
}

/** Nearly every body is: what does harm has to be escaped, or named, or to be deep. It spares looking at each value. */
function isPlain(text: string): boolean {
  if (text.includes('\\u') || text.includes('__proto__')) return false
  let brackets = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++brackets > maxDepth) return false
    }
  }
  return true
}

/** Goes down level by level rather than by recursion, for the depth is the sender's choice. */
function refuseHarm(root: unknown): void {
  let level = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw invalidBody(`is nested more than ${maxDepth} deep`)
    const below: unknown[] = []
    for (const value of level) {
      if (typeof value === 'string' && !isStorable(value)) throw invalidBody('has a NUL or a lone surrogate in a text')
      if (typeof value !== 'object' || value === null) continue
      for (const [key, member] of Object.entries(value)) {
        if (!isStorable(key) || key === '__proto__') throw invalidBody('has a member of an impossible name')
        below.push(member)
      }
    }
    level = below
  }
}

const invalidBody = (message: string) => Invalid({ errors: [{ path: '', message }] })

/** Postgres stores no NUL, and a lone surrogate has no UTF-8: either would fail in the middle of a transaction. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
