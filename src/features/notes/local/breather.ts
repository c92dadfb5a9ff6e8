import { setImmediate as pause } from 'node:timers/promises'

const turn_ms = 12

/** For long work on the one thread that serves everybody: others have their turn after so many milliseconds. */
export function createBreather(signal: AbortSignal) {
  let since = performance.now()
  return async function breathe(): Promise<void> {
    if (performance.now() - since < turn_ms) return
    await pause()
    signal.throwIfAborted()
    since = performance.now()
  }
}
