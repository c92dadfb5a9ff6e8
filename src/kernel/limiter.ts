import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

/** So many, at once or spread, and then as many again over each further period. */
export interface Budget {
  name: string
  amount: number
  per_s: number
}

export type Limiter = ReturnType<typeof createLimiter>

/**
 * Counts by the generic cell rate algorithm: one number per key, the instant at which its budget would be whole
 * again. No timers; a forgotten key is a fresh one. `factor` scales every budget, but never below one; `Infinity`
 * never refuses.
 */
export function createLimiter(clock: Clock, factor: number) {
  const wholeAt = new LRUCache<string, number>({ max: 50_000 })
  const mostOf = ({ amount }: Budget) => Math.max(1, amount * factor)
  const stepOf = (budget: Budget) => (budget.per_s * 1000) / mostOf(budget)

  return {
    /**
     * Takes so many from the key's budget, and all of it for more than there ever is. Zero when they were there to take,
     * else the seconds until they will be.
     */
    spend(budget: Budget, key: string, count = 1): number {
      if (factor === Number.POSITIVE_INFINITY) return 0
      const now = clock.millis()
      const id = `${budget.name} ${key}`
      const next = Math.max(now, wholeAt.get(id) ?? 0) + stepOf(budget) * Math.min(count, mostOf(budget))
      const wait = next - now - budget.per_s * 1000
      if (wait > 0.5) return Math.ceil(wait / 1000)
      wholeAt.set(id, next)
      return 0
    },

    /** Gives one back, when what it was spent on turned out to be harmless. */
    refund(budget: Budget, key: string): void {
      const id = `${budget.name} ${key}`
      const whole = (wholeAt.get(id) ?? 0) - stepOf(budget)
      if (whole > clock.millis()) wholeAt.set(id, whole)
      else wholeAt.delete(id)
    },
  }
}
