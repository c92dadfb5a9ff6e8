import type { Limiter } from '../kernel/limiter.ts'
import { RateLimited } from '../kernel/problem.ts'

/** A budget that a route declares, and whose it is. */
export interface Limit {
  by: 'address' | 'account'
  amount: number
  per_s: number
}

export const perAddress = (amount: number, per_s: number): Limit => ({ by: 'address', amount, per_s })
export const perAccount = (amount: number, per_s: number): Limit => ({ by: 'account', amount, per_s })

/** Makes the check of one route; its limits are counted apart from every other route's. */
export function createLimitCheck(limiter: Limiter, operation: string, limits: Limit[] = []) {
  return (by: Limit['by'], key: () => string): void => {
    for (const limit of limits) {
      if (limit.by !== by) continue
      const wait = limiter.spend({ ...limit, name: operation }, key())
      if (wait > 0) throw RateLimited({ retry_after_s: wait })
    }
  }
}
