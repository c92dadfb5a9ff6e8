import { describe, expect, it } from 'vitest'
import { createLimiter } from '../../src/kernel/limiter.ts'
import { testClock } from '../support/clock.ts'

const budget = { name: 'letters', amount: 60, per_s: 3600 }

describe('a budget', () => {
  it('is spent many at a time, or not at all', () => {
    const clock = testClock()
    const { spend } = createLimiter(clock, 1)
    expect(spend(budget, 'ada', 50)).toBe(0)
    expect(spend(budget, 'ada', 20)).toBe(10 * 60)
    expect(spend(budget, 'ada', 10)).toBe(0)
    expect(spend(budget, 'ada')).toBe(60)
    clock.advance(20 * 60)
    expect(spend(budget, 'ada', 20)).toBe(0)
    expect(spend(budget, 'ada')).toBe(60)
  })

  it('is each one’s own, scaled by the factor, and endless where there are no limits', () => {
    const clock = testClock()
    const half = createLimiter(clock, 0.5)
    expect(half.spend(budget, 'ada', 30)).toBe(0)
    expect(half.spend(budget, 'ada')).toBe(120)
    expect(half.spend(budget, 'grace', 30)).toBe(0)
    const endless = createLimiter(clock, Number.POSITIVE_INFINITY)
    for (let i = 0; i < 10; i++) expect(endless.spend(budget, 'ada', 1000)).toBe(0)
  })

  it('of none is no spending', () => {
    const { spend } = createLimiter(testClock(), 1)
    expect(spend(budget, 'ada', 60)).toBe(0)
    expect(spend(budget, 'ada', 0)).toBe(0)
  })
})
