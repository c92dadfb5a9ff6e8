import { backoff_ms, Problem, pause } from './api.js'

/**
 * What is sent leaves in its order, one POST at a time: two at once could overtake each other, and a candidate would
 * come before its offer. What gathers meanwhile goes into the next. A POST that is not answered is sent again with the
 * same numbers, so it is delivered once.
 *
 * @typedef {{ to: { connection: string }, type: string, payload: unknown, ice_session?: string, negotiation_id?: string }} Signal
 * @typedef {{ status: string, deliveries: { connection: string, seq: number }[] }} Result
 * @typedef {ReturnType<typeof createOutbox>} Outbox
 *
 * @param {{ api: import('./api.js').Api, connection: string, signal: AbortSignal,
 *   settled: (signal: Signal, outcome: Result | Problem) => void }} options
 */
export function createOutbox({ api, connection, signal, settled }) {
  /** @type {Signal[]} */
  const waiting = []
  let next = 1
  let running = false

  /** @param {Signal} sent */
  function send(sent) {
    waiting.push(sent)
    if (!running) run()
  }

  async function run() {
    running = true
    await undefined // what is said in the same moment goes together
    while (waiting.length > 0 && !signal.aborted) await post(waiting.splice(0, 64))
    running = false
  }

  /** @param {Signal[]} signals @returns {Promise<void>} */
  async function post(signals) {
    const first_seq = next // and again the same, whatever a resume says meanwhile
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const body = { connection, first_seq, signals }
        const { results } = await api.call('POST', '/rtc/signals', body, signal)
        next = first_seq + signals.length
        signals.forEach((sent, i) => {
          settled(sent, results[i])
        })
        return
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Problem && !error.passes) return refused(signals, error)
        const asked_ms = error instanceof Problem ? error.retry_after_s * 1000 : 0
        await pause(Math.max(asked_ms, backoff_ms(attempt)), signal)
      }
    }
  }

  /**
   * Nothing of it was stored. Of several, only the guilty one is to be lost.
   * @param {Signal[]} signals @param {Problem} problem @returns {Promise<void>}
   */
  async function refused(signals, problem) {
    if (problem.code === 'send_gap' && problem.expected !== undefined) {
      next = problem.expected // somebody else has sent with this connection: what they did stands
      return post(signals)
    }
    if (problem.status === 410) return // the inbox says why
    if (signals.length > 1) for (const one of signals) await post([one])
    else if (signals[0]) settled(signals[0], problem)
  }

  return {
    send,
    /** After a resume, the server says which number it waits for. @param {number} send_next */
    goOnAt(send_next) {
      if (!running) next = Math.max(next, send_next)
    },
  }
}
