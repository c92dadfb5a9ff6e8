/** Whoever needs the time is given a clock, so that a test can hold it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  millis(): number
  /** The instant as it is stored and sent: `2026-01-31T09:30:00.000Z`. It sorts as text. */
  now(): string
  /** The instant that lies `seconds` ahead, or behind when negative. */
  in(seconds: number): string
}

export const systemClock: Clock = clockFrom(Date.now)

export function clockFrom(millis: () => number): Clock {
  return {
    millis,
    now: () => new Date(millis()).toISOString(),
    in: seconds => new Date(millis() + seconds * 1000).toISOString(),
  }
}
