/**
 * What the server refuses, as it says it: `code` is what a program looks at.
 */
export class Problem extends Error {
  /**
   * @param {{ status: number, code?: string, title?: string, detail?: string, reason?: string, expected?: number,
   *   errors?: { path: string, message: string }[] }} told
   */
  constructor(told, retry_after_s = 0) {
    const { status, code = 'unknown', title = `HTTP ${status}`, detail, reason, expected, errors = [] } = told
    super(detail ? `${title}: ${detail}` : title)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.reason = reason
    this.expected = expected
    /** Every field that is wrong. */
    this.errors = errors
    this.retry_after_s = retry_after_s
  }

  /** Whether the same may succeed a little later. */
  get passes() {
    return this.status === 429 || this.status >= 500
  }
}

/**
 * @typedef {string | (() => Promise<string>)} Token one that lasts, or the way to the one that is good now
 * @typedef {ReturnType<typeof createApi>} Api
 * @param {{ origin?: string, token?: Token, unknown?: () => Promise<never> }} options `unknown` is for whose login has ended
 */
export function createApi({ origin = '', token, unknown } = {}) {
  /**
   * A network that has gone says nothing: whoever has waited longer than any answer takes, asks anew.
   * @param {string} path @param {RequestInit} init @param {{ [name: string]: string }} headers
   */
  async function send(path, { signal: given, ...init }, headers, patience_ms = 40_000) {
    const known = typeof token === 'function' ? await token() : token
    /** @type {{ [name: string]: string }} */
    const who = known ? { Authorization: `Bearer ${known}` } : {}
    const patience = AbortSignal.timeout(patience_ms)
    const signal = given ? AbortSignal.any([given, patience]) : patience
    const request = { ...init, signal, cache: /** @type {const} */ ('no-store'), headers: { ...headers, ...who } }
    const reply = await fetch(`${origin}/api${path}`, request)
    if (reply.ok) return reply
    if (reply.status === 401 && unknown) return unknown()
    const told = await reply.json().catch(() => ({}))
    throw new Problem({ ...told, status: reply.status }, Number(reply.headers.get('Retry-After')) || 0)
  }

  return {
    origin,
    /** The same, as somebody. @param {Token | undefined} token */
    as: token => createApi({ origin, token }),

    /**
     * @param {string} method @param {string} path @param {object} [body] @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    async call(method, path, body, signal) {
      const init = { method, signal: signal ?? null, ...(body ? { body: JSON.stringify(body) } : {}) }
      const reply = await send(path, init, body ? { 'Content-Type': 'application/json' } : {})
      return reply.status === 204 ? undefined : reply.json()
    },

    /** Bytes as they are. @param {string} path @param {Blob} body */
    put: (path, body) => send(path, { method: 'PUT', body }, { 'Content-Type': 'application/octet-stream' }, 300_000),

    /** Only what nobody else has changed since it was read. @param {string} path @param {number} version @param {object} body */
    async change(path, version, body) {
      const headers = { 'Content-Type': 'application/json', 'If-Match': `"${version}"` }
      return (await send(path, { method: 'PATCH', body: JSON.stringify(body) }, headers)).json()
    },

    /** @param {string} path */
    bytes: async path => (await send(path, {}, {}, 300_000)).blob(),

    /** In another form than JSON. @param {string} path @param {string} type @returns {Promise<string>} */
    text: async (path, type) => (await send(path, {}, { Accept: type })).text(),
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
export const pause = (ms, signal) =>
  new Promise(resolve => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })

/** Ever longer, and never the same for two who begin together. @param {number} attempt */
export const backoff_ms = attempt => Math.min(5000, 200 * 2 ** attempt) * (0.5 + Math.random() / 2)
