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
 * @param {{ origin?: string, token?: Token }} options
 */
export function createApi({ origin = '', token } = {}) {
  /** @param {object} [init] @param {{ [name: string]: string }} [headers] @returns {Promise<RequestInit>} */
  async function asWhoever(init, headers) {
    const known = typeof token === 'function' ? await token() : token
    return {
      cache: 'no-store',
      ...init,
      headers: { ...headers, ...(known ? { Authorization: `Bearer ${known}` } : {}) },
    }
  }

  /** @param {string} path @param {object} init @param {{ [name: string]: string }} headers */
  async function send(path, init, headers) {
    const reply = await fetch(`${origin}/api${path}`, await asWhoever(init, headers))
    if (reply.ok) return reply
    const told = await reply.json().catch(() => ({}))
    throw new Problem({ ...told, status: reply.status }, Number(reply.headers.get('Retry-After') ?? 0))
  }

  return {
    origin,
    /** The same, as somebody. @param {Token | undefined} token */
    as: token => createApi({ origin, token }),

    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    async call(method, path, body, signal) {
      const init = { method, signal: signal ?? null, ...(body ? { body: JSON.stringify(body) } : {}) }
      const reply = await send(path, init, body ? { 'Content-Type': 'application/json' } : {})
      return reply.status === 204 ? undefined : reply.json()
    },

    /** Bytes as they are. @param {string} path @param {Blob} bytes @param {AbortSignal} [signal] */
    put: (path, bytes, signal) =>
      send(
        path,
        { method: 'PUT', body: bytes, signal: signal ?? null },
        { 'Content-Type': 'application/octet-stream' },
      ),

    /** In another form than JSON. @param {string} path @param {string} type @returns {Promise<string>} */
    text: async (path, type) => (await send(path, {}, { Accept: type })).text(),
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
export const pause = (ms, signal) =>
  new Promise(resolve => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** Ever longer, and never the same for two who begin together. @param {number} attempt */
export const backoff_ms = attempt => Math.min(5000, 200 * 2 ** attempt) * (0.5 + Math.random() / 2)
