import { backoff_ms, Problem, pause } from './api.js'
import { channels } from './channels.js'

/**
 * Reads the inbox for as long as the call lasts. What a page brought is acknowledged when all of it has been used: so what
 * a crash of this page interrupts is delivered again. `use` says whether to resume, for something about me has changed.
 *
 * @typedef {import('./channels.js').Incoming} Incoming
 * @typedef {import('./channels.js').Gap} Gap
 *
 * @param {{ api: import('./api.js').Api, connection: string, cursor: number, signal: AbortSignal,
 *   lost: () => void, channel?: keyof typeof channels, wait_s?: number, use: (signal: Incoming) => Promise<boolean>, missed: (gap: Gap) => void,
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
  let resumes = false
  for (let attempt = 0; !signal.aborted; ) {
    try {
      if (resumes) used = Math.max(used, await resume(used))
      resumes = false
      for await (const page of channels[channel]({ api, connection, used: () => used, signal, wait_s })) {
        attempt = 0
        if (page.gap) missed(page.gap)
        for (const each of page.signals) {
          resumes = (await use(each)) || resumes
          used = each.seq // also if the next one should fail: nothing is used twice
        }
        used = page.cursor
        if (resumes) break // what I may do is asked anew, which ends this reading
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Problem && !error.passes && error.code !== 'ack_ahead')
        return closed(error.reason ?? error.code)
      if (attempt === 0) lost()
      resumes = true
      await pause(Math.max(error instanceof Problem ? error.retry_after_s * 1000 : 0, backoff_ms(attempt++)), signal)
    }
  }
}
