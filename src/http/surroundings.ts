import { randomUUID } from 'node:crypto'

/** What every answer has, by whatever way it is served. */

/** An id that a proxy has given is kept, so that its log and ours can be joined. */
export function newRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{8,64}$/.test(given) ? given : `req_${randomUUID()}`
}

/** Names and values in turn. HSTS is said only by who is known to be reached by https. */
export const usualHeaders = (secure: boolean): readonly string[] => (secure ? withStrictTransport : withoutIt)

const withoutIt = [
  'Cache-Control',
  'no-store',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
  'X-Content-Type-Options',
  'nosniff',
]
const withStrictTransport = [...withoutIt, 'Strict-Transport-Security', 'max-age=31536000']

/** Of an answer that is JSON and read by a program, whoever asked for it; the others are for what is shown. */
export const dataHeaders = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']

export const exposedHeaders = ['ETag', 'Idempotency-Replayed', 'Location', 'Retry-After', 'X-Request-Id']

/** Of the answer that a page of another origin may read. Without such origins, and to others, nothing is said. */
export function corsHeaders(origins: string[], origin: string | undefined): readonly string[] {
  if (origins.length === 0 || origin === undefined) return nothing
  const allowed = origins.includes('*') ? '*' : origins.includes(origin) ? origin : undefined
  if (allowed === undefined) return ['Vary', 'Origin']
  const expose = ['Access-Control-Expose-Headers', exposedHeaders.join(',')]
  return ['Vary', 'Origin', 'Access-Control-Allow-Origin', allowed, ...expose]
}

const nothing: readonly string[] = []
