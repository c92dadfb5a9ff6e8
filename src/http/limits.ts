import type { Caller } from '../kernel/caller.ts'
import type { Budget, Limiter } from '../kernel/limiter.ts'
import { RateLimited } from '../kernel/problem.ts'
import type { Client } from './client.ts'

/** A budget that a route declares, and whose it is. */
export interface Limit {
  by: 'address' | 'account'
  amount: number
  per_s: number
}

export const perAddress = (amount: number, per_s: number): Limit => ({ by: 'address', amount, per_s })
export const perAccount = (amount: number, per_s: number): Limit => ({ by: 'account', amount, per_s })

/** Makes the check of one route; its limits are counted apart from every other route's. */
export function createLimitCheck(limiter: Limiter, operation: string, limits: Limit[], by: Limit['by']) {
  const budgets: Budget[] = limits.filter(limit => limit.by === by).map(limit => ({ name: operation, ...limit }))

  return (key: string): void => {
    for (const budget of budgets) {
      const wait = limiter.spend(budget, key)
      if (wait > 0) throw RateLimited({ retry_after_s: wait })
    }
  }
}

export const addressKey = (client: Client) => client.network
export const accountKey = (caller: Caller) => caller.user_id
