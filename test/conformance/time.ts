import { setImmediate, setTimeout } from 'node:timers/promises'
import { Broken } from './verdict.ts'

export const sleep = (ms: number): Promise<void> => setTimeout(ms)

/** To a fraction of a millisecond, which a timer cannot do. */
export async function pause(ms: number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until; ) await setImmediate()
}

/** Whoever is not done by then has failed, and is not waited for any longer. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const patience = new AbortController()
  const late = setTimeout(ms, undefined, { signal: patience.signal }).then(() => {
    throw new Broken(`is not done after ${ms / 1000} s`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    patience.abort()
    late.catch(() => {})
  }
}

/** What is begun now and awaited later; if the promise fails before that, nobody asks any more how it ended. */
export function begun<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => {})
  return work
}
