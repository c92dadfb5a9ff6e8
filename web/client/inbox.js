import { backoff_ms, Problem, pause } from './api.js'
import { channels } from './channels.js'

/**
 * Reads the inbox for as long as the call lasts. What a page brought is acknowledged when all of it has been used: so what
 * a crash of this page interrupts is delivered again.
 *
 * @typedef {import('./channels.js').Incoming} Incoming
 * @typedef {import('./channels.js').Gap} Gap
 *
 * @param {{ api: import('./api.js').Api, connection: string, cursor: number, signal: AbortSignal,
 *   lost: () => void, channel?: keyof typeof channels, wait_s?: number, use: (signal: Incoming) => Promise<void>, missed: (gap: Gap) => void,
 *   resume: (cursor: number) => Promise<number>, closed: (reason: string) => void }} options
 */
export async function readInbox({
  api,
  connection,
  cursor,
  signal,
  channel = 'poll',
  wait_s = 25,
  use,
  missed,
  lost,
  resume,
  closed,
}) {
  let used = cursor
  for (let attempt = 0; !signal.aborted; ) {
    try {
      if (attempt > 0) used = Math.max(used, await resume(used))
      for await (const page of channels[channel]({ api, connection, used: () => used, signal, wait_s })) {
        attempt = 0
        if (page.gap) missed(page.gap)
        for (const each of page.signals) await use(each)
        used = page.cursor
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Problem && !error.passes && error.code !== 'ack_ahead')
        return closed(error.reason ?? error.code)
      if (attempt === 0) lost()
      await pause(Math.max(error instanceof Problem ? error.retry_after_s * 1000 : 0, backoff_ms(attempt++)), signal)
    }
  }
}
