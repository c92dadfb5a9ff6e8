import { type Clock, clockFrom } from '../../src/kernel/clock.ts'

/** Stands still until it is told to move. It starts at the true time, for drivers and sockets have no other. */
export interface TestClock extends Clock {
  advance(seconds: number): void
}

export function testClock(): TestClock {
  let now = Date.now()
  return {
    ...clockFrom(() => now),
    advance: seconds => {
      now += seconds * 1000
    },
  }
}
