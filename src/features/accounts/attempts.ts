import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock.ts'
import type { Budget, Limiter } from '../../kernel/limiter.ts'
import { RateLimited } from '../../kernel/problem.ts'

/**
 * Slows down whoever guesses passwords, and nobody else.
 *
 * Three budgets, of which only failures take: from one address for one account, from one address for any account, and
 * for one account from anywhere. The last would let a stranger with many addresses lock the owner out, so it does not
 * count where the account has been logged in to from that address before.
 */
const perPair: Budget = { name: 'failed logins of an account from an address', amount: 10, per_s: 900 }
const perAddress: Budget = { name: 'failed logins from an address', amount: 20, per_s: 900 }
const perAccount: Budget = { name: 'failed logins of an account', amount: 100, per_s: 3600 }

const trustedFor_ms = 30 * 24 * 3600 * 1000

export function createAttempts({ limiter, clock }: { limiter: Limiter; clock: Clock }) {
  const succeeded = new LRUCache<string, number>({ max: 50_000 })

  return {
    /** Counts the attempt as failed before it is made, so that many at once cannot slip through; or refuses it. */
    begin(account: string, network: string): { succeed(): void } {
      const pair = `${account} ${network}`
      const knownHere = (succeeded.get(pair) ?? 0) > clock.millis() - trustedFor_ms
      const spent: [Budget, string][] = []
      for (const [budget, key] of [
        [perPair, pair] as const,
        [perAddress, network] as const,
        ...(knownHere ? [] : [[perAccount, account] as const]),
      ]) {
        const wait = limiter.spend(budget, key)
        if (wait > 0) {
          for (const [earlier, earlierKey] of spent) limiter.refund(earlier, earlierKey)
          throw RateLimited({ retry_after_s: wait, detail: 'Too many failed logins' })
        }
        spent.push([budget, key])
      }
      return {
        succeed() {
          for (const [budget, key] of spent) limiter.refund(budget, key)
          succeeded.set(pair, clock.millis())
        },
      }
    },
  }
}
