import { Problem, pause } from './api.js'

/**
 * Three ways to read the same inbox, with the same cursor. Each yields pages for as long as all goes well, takes what was
 * used before the next as acknowledged, and throws when something breaks: whoever reads then resumes, and begins again.
 *
 * @typedef {{ seq: number, type: string, from: { connection: string, participant: string, user: string | null } | null,
 *   payload: any, ice_session: string | null, negotiation_id: string | null }} Incoming
 * @typedef {{ from_seq: number, to_seq: number, reason: string }} Gap
 * @typedef {{ signals: Incoming[], cursor: number, gap?: Gap | null, retry_after_ms?: number }} Page
 * @typedef {{ api: import('./api.js').Api, connection: string, used: () => number, signal: AbortSignal, wait_s: number }} Reading
 */
export const channels = { poll, stream, socket }

/** Held open until there is something; each poll carries the acknowledgement of what the one before it brought. @param {Reading} reading @returns {AsyncGenerator<Page>} */
async function* poll({ api, connection, used, signal, wait_s }) {
  while (!signal.aborted) {
    const query = { connection, after: `${used()}`, ack: `${used()}`, wait: `${wait_s}`, limit: '100' }
    const page = await api.call('GET', `/rtc/inbox?${new URLSearchParams(query)}`, undefined, signal)
    yield page
    if (page.retry_after_ms) await pause(page.retry_after_ms, signal)
    else if (wait_s === 0 && page.signals.length === 0) await pause(500, signal)
  }
}

/** Server-Sent Events. @param {Reading} reading @returns {AsyncGenerator<Page>} */
async function* stream(reading) {
  const { api, connection, signal } = reading
  const source = new EventSource(await addressOf(reading, 'stream'))
  const pages = createQueue(signal)
  const acknowledge = acknowledging(reading)
  source.addEventListener('signal', ({ data }) => {
    const one = JSON.parse(data)
    pages.push({ signals: [one], cursor: one.seq })
  })
  source.addEventListener('gap', ({ data }) => {
    const gap = JSON.parse(data)
    pages.push({ signals: [], cursor: gap.to_seq, gap })
  })
  source.addEventListener('end', ({ data }) => pages.fail(new Problem({ status: 410, ...JSON.parse(data) })))
  // It would come back by itself, with a ticket that is used up.
  source.onerror = () => pages.fail(new TypeError('The stream has broken'))
  try {
    while (!signal.aborted) {
      yield await pages.next()
      acknowledge(up_to => api.call('POST', '/rtc/ack', { connection, up_to }, signal))
    }
  } finally {
    source.close()
  }
}

/** WebSocket. @param {Reading} reading @returns {AsyncGenerator<Page>} */
async function* socket(reading) {
  const { signal } = reading
  const ws = new WebSocket((await addressOf(reading, 'ws')).replace(/^http/, 'ws'))
  const pages = createQueue(signal)
  const acknowledge = acknowledging(reading)
  ws.onmessage = ({ data }) => {
    const frame = JSON.parse(data)
    if (frame.type === 'signals') pages.push(frame)
    else if (frame.type === 'problem') pages.fail(new Problem(frame.problem))
  }
  ws.onclose = ({ code, reason }) =>
    pages.fail(code in closings ? new Problem({ status: 410, code: closings[code], reason }) : new TypeError('Closed'))
  try {
    while (!signal.aborted) {
      yield await pages.next()
      acknowledge(async up_to => ws.send(JSON.stringify({ type: 'ack', ref: `${up_to}`, up_to })))
    }
  } finally {
    ws.close()
  }
}

/** @type {{ [code: number]: string }} */
const closings = { 4409: 'poll_superseded', 4410: 'connection_closed' }

/** With a ticket, since a browser can set no header there. @param {Reading} reading @param {string} kind */
async function addressOf({ api, connection, used, signal }, kind) {
  const { ticket } = await api.call('POST', '/rtc/tickets', { connection }, signal)
  const query = new URLSearchParams({ connection, ticket, after: `${used()}` })
  return `${api.origin || location.origin}/api/rtc/${kind}?${query}`
}

/**
 * One at a time, and only when there is news: what is used meanwhile goes with the next. One that is lost is made good by
 * a later one.
 * @param {Reading} reading
 */
function acknowledging({ used }) {
  let told = used()
  let running = false
  return async (/** @type {(up_to: number) => Promise<unknown>} */ send) => {
    if (running) return
    running = true
    try {
      while (told < used()) {
        const up_to = used()
        await send(up_to)
        told = up_to
      }
    } catch (error) {
      // The connection is the reader's to look after, and tells the same.
      if (!(error instanceof Problem || error instanceof TypeError || error instanceof DOMException)) throw error
    } finally {
      running = false
    }
  }
}

/** What is pushed waits here until it is asked for. @param {AbortSignal} signal */
function createQueue(signal) {
  /** @type {Page[]} */
  const pages = []
  /** @type {unknown} */
  let broken
  let wake = () => {}
  const abort = () => fail(signal.reason)
  signal.addEventListener('abort', abort, { once: true })

  /** @param {unknown} error */
  function fail(error) {
    broken ??= error
    wake()
  }

  return {
    fail,
    /** @param {Page} page */
    push(page) {
      pages.push(page)
      wake()
    },
    async next() {
      for (;;) {
        const page = pages.shift()
        if (page) return page
        if (broken) throw broken
        await new Promise(resolve => {
          wake = () => resolve(undefined)
        })
      }
    },
  }
}
