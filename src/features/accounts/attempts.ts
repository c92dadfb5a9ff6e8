import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock.ts'
import type { Budget, Limiter } from '../../kernel/limiter.ts'
import { RateLimited, Unavailable } from '../../kernel/problem.ts'

/**
 * Slows down whoever guesses passwords, and nobody else.
 *
 * Three budgets, of which only wrong passwords take: from one address for any account, from one address for one
 * account, and for one account from anywhere. The last would let a stranger with many addresses lock the owner out, so
 * it does not count where the account has been logged in to from that address before.
 */
const perAddress: Budget = { name: 'wrong passwords from an address', amount: 20, per_s: 900 }
const perPair: Budget = { name: 'wrong passwords for an account from an address', amount: 10, per_s: 900 }
const perAccount: Budget = { name: 'wrong passwords for an account', amount: 100, per_s: 3600 }

const trustedFor_ms = 30 * 24 * 3600 * 1000
const longestLine = 100

export function createAttempts({ limiter, clock }: { limiter: Limiter; clock: Clock }) {
  const succeeded = new LRUCache<string, number>({ max: 50_000 })
  const inLine = createLines()

  return {
    /** The owner is at home there: they have just come in by other means than this password. */
    trust(account: string, network: string): void {
      succeeded.set(`${account} ${network}`, clock.millis())
    },

    /**
     * Lets `check` look at a password, unless too many were wrong; it answers undefined when this one is. The attempts
     * of one address are looked at one after the other, so that many at once neither slip through nor, when they are
     * right, get in each other's way.
     */
    guard<Found>(
      account: string,
      network: string,
      check: () => Promise<Found | undefined>,
    ): Promise<Found | undefined> {
      return inLine(network, async () => {
        const pair = `${account} ${network}`
        const knownHere = (succeeded.get(pair) ?? 0) > clock.millis() - trustedFor_ms
        // The address first: whoever has used it up leaves no trace in the others.
        const undo = spendAll([
          [perAddress, network],
          [perPair, pair],
          ...(knownHere ? [] : [[perAccount, account] as const]),
        ])
        const found = await check().catch(error => {
          undo() // it was never judged
          throw error
        })
        if (found === undefined) return undefined
        undo()
        succeeded.set(pair, clock.millis())
        return found
      })
    },
  }

  /** Takes one of each, or none and refuses; returns the way to give them back. */
  function spendAll(budgets: (readonly [Budget, string])[]): () => void {
    budgets.forEach(([budget, key], i) => {
      const wait = limiter.spend(budget, key)
      if (wait === 0) return
      for (const [spent, spentKey] of budgets.slice(0, i)) limiter.refund(spent, spentKey)
      throw RateLimited({ retry_after_s: wait, detail: 'Too many wrong passwords' })
    })
    return () => {
      for (const [budget, key] of budgets) limiter.refund(budget, key)
    }
  }
}

/** For each key a line, in which one works while the others wait. */
function createLines() {
  const lines = new Map<string, { length: number; last: Promise<unknown> }>()

  return async function inLine<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const line = lines.get(key) ?? { length: 0, last: Promise.resolve() }
    if (line.length >= longestLine) throw Unavailable({ retry_after_s: 2 })
    lines.set(key, line)
    line.length++
    const mine = line.last.then(work)
    line.last = mine.catch(() => {}) // its own caller hears of it
    try {
      return await mine
    } finally {
      if (--line.length === 0) lines.delete(key)
    }
  }
}
