import { backoff_ms, Problem, pause } from './api.js'

/**
 * Reads the inbox for as long as the call lasts. A poll carries the acknowledgement of what the one before it brought, and
 * is sent only when all of that has been used: so what a crash of this page interrupts is delivered again.
 *
 * @typedef {{ seq: number, type: string, from: { connection: string, participant: string, user: string | null } | null,
 *   payload: any, ice_session: string | null, negotiation_id: string | null }} Incoming
 * @typedef {{ from_seq: number, to_seq: number, reason: string }} Gap
 *
 * @param {{ api: import('./api.js').Api, connection: string, cursor: number, signal: AbortSignal, wait_s?: number,
 *   use: (signal: Incoming) => Promise<void>, missed: (gap: Gap) => void, resume: (cursor: number) => Promise<number>,
 *   closed: (reason: string) => void }} options
 */
export async function readInbox({ api, connection, cursor, signal, wait_s = 25, use, missed, resume, closed }) {
  let used = cursor
  for (let attempt = 0; !signal.aborted; ) {
    try {
      if (attempt > 0) used = Math.max(used, await resume(used))
      const query = new URLSearchParams({
        connection,
        after: `${used}`,
        ack: `${used}`,
        wait: `${wait_s}`,
        limit: '100',
      })
      const page = await api.call('GET', `/rtc/inbox?${query}`, undefined, signal)
      attempt = 0
      if (page.gap) missed(page.gap)
      for (const each of page.signals) await use(each)
      used = page.cursor
      if (page.retry_after_ms) await pause(page.retry_after_ms, signal)
      else if (wait_s === 0 && page.signals.length === 0) await pause(500, signal)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Problem && !error.passes && error.code !== 'ack_ahead')
        return closed(error.reason ?? error.code)
      await pause(Math.max(error instanceof Problem ? error.retry_after_s * 1000 : 0, backoff_ms(attempt++)), signal)
    }
  }
}
