import type { Log } from './log.ts'

/**
 * Does something again and again, a while after it was last done. What fails is logged and done again in its time.
 * Returns the way to stop, which waits for what is running.
 */
export function every(ms: number, log: Log, what: string, work: () => Promise<void>): () => Promise<void> {
  let stopped = false
  let running: Promise<void> | undefined
  const again = () => {
    running = work()
      .catch(error => log.warn({ err: error }, `${what}: failed, and is tried again`))
      .finally(() => {
        if (!stopped) timer = setTimeout(again, ms)
      })
  }
  let timer = setTimeout(again, ms)
  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}
