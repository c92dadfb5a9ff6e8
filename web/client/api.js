/**
 * What the server refuses, as it says it: `code` is what a program looks at.
 */
export class Problem extends Error {
  /** @param {{ status: number, code?: string, title?: string, detail?: string, reason?: string, expected?: number }} told */
  constructor({ status, code = 'unknown', title = `HTTP ${status}`, detail, reason, expected }, retry_after_s = 0) {
    super(detail ? `${title}: ${detail}` : title)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.reason = reason
    this.expected = expected
    this.retry_after_s = retry_after_s
  }

  /** Whether the same may succeed a little later. */
  get passes() {
    return this.status === 429 || this.status >= 500
  }
}

/**
 * @typedef {ReturnType<typeof createApi>} Api
 * @param {{ origin?: string, token?: string }} options
 */
export function createApi({ origin = '', token } = {}) {
  /** @type {{ [name: string]: string }} */
  const who = token ? { Authorization: `Bearer ${token}` } : {}

  return {
    origin,
    /** The same, as somebody. @param {string} token */
    as: token => createApi({ origin, token }),

    /**
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    async call(method, path, body, signal) {
      const headers = body ? { ...who, 'Content-Type': 'application/json' } : who
      const init = { method, headers, cache: /** @type {const} */ ('no-store'), signal: signal ?? null }
      const reply = await fetch(`${origin}/api${path}`, body ? { ...init, body: JSON.stringify(body) } : init)
      if (reply.status === 204) return undefined
      const told = await reply.json().catch(() => ({}))
      if (reply.ok) return told
      throw new Problem({ ...told, status: reply.status }, Number(reply.headers.get('Retry-After') ?? 0))
    },
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
