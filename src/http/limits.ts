import type { Limiter } from '../kernel/limiter.ts'
import { RateLimited } from '../kernel/problem.ts'
import type { Limit } from './route.ts'

/** Makes the check of one route; each of its limits is counted apart from every other. */
export function createLimitCheck(limiter: Limiter, operation: string, limits: readonly Limit[] = []) {
  const budgets = limits.map(limit => ({ ...limit, name: `${operation} ${limit.amount}/${limit.per_s}s` }))

  return (by: Limit['by'], key: () => string): void => {
    for (const budget of budgets) {
      if (budget.by !== by) continue
      const wait = limiter.spend(budget, key())
      if (wait > 0) throw RateLimited({ retry_after_s: wait })
    }
  }
}
