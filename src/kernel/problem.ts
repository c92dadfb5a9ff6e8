/**
 * Everything that can go wrong for a caller, said without a word of HTTP: `http/problems` alone knows the statuses.
 * A code is a promise to clients: add, never rename.
 */
export type ProblemKind =
  | 'malformed' // cannot be parsed
  | 'invalid' // parses, but is not valid
  | 'unauthenticated'
  | 'forbidden' // you see it, but may not
  | 'not_found' // absent, or not yours to see
  | 'wrong_method'
  | 'conflict'
  | 'gone'
  | 'stale' // changed since the version you name
  | 'too_large'
  | 'unsupported' // a media type or encoding that is not spoken here
  | 'limited'
  | 'unavailable'
  | 'no_room' // for a file
  | 'out_of_range' // of a file

/** One wrong field of an input; `path` is dotted, as in `signals.0.type`. */
export interface FieldError {
  path: string
  message: string
}

export interface ProblemExtra {
  /** What is particular about this occurrence; the title already says what is general. */
  detail?: string
  errors?: FieldError[]
  retry_after_s?: number
  /** Why something is over, in a word that clients switch on. */
  reason?: string
  /** The number that would have been the right one. */
  expected?: number
  /** The methods that the resource does answer. */
  allow?: string[]
  /** Of the whole of which no such part exists, in bytes. */
  size?: number
}

export class Problem extends Error {
  readonly kind: ProblemKind
  readonly code: string
  readonly extra: ProblemExtra

  constructor(kind: ProblemKind, code: string, title: string, extra: ProblemExtra) {
    super(title)
    this.name = 'Problem'
    this.kind = kind
    this.code = code
    this.extra = extra
  }
}

export type ProblemType = ReturnType<typeof problem>

/** Declares a kind of problem; call the result to make one: `throw EmailTaken()`. */
export function problem(kind: ProblemKind, code: string, title: string) {
  const make = (extra: ProblemExtra = {}) => new Problem(kind, code, title, extra)
  return Object.assign(make, { kind, code, title })
}

export const Invalid = problem('invalid', 'invalid', 'Some of the input is not valid')
export const NotFound = problem('not_found', 'not_found', 'There is no such thing, or it is not yours to see')
export const Unauthenticated = problem('unauthenticated', 'unauthenticated', 'A valid access token is needed')
export const AccountNeeded = problem(
  'forbidden',
  'account_needed',
  'This needs an account; a guest token is not enough',
)
export const Stale = problem('stale', 'stale', 'It has changed since the version named in If-Match')
export const RateLimited = problem('limited', 'rate_limited', 'Too many requests; slow down')
export const Unavailable = problem('unavailable', 'unavailable', 'The server cannot do this just now; try again')
