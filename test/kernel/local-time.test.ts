import { describe, expect, it } from 'vitest'
import { instantOf, localTimeOf } from '../../src/kernel/local-time.ts'

const berlin = (text: string) => instantOf(text, 'Europe/Berlin')

describe('a time that somebody writes', () => {
  it.each([
    ['2026-03-29T09:00', '2026-03-29T07:00:00.000Z'],
    ['2026-03-28T09:00:00', '2026-03-28T08:00:00.000Z'],
    ['2026-03-29T09:00Z', '2026-03-29T09:00:00.000Z'],
    ['2026-03-29T09:00:30.5Z', '2026-03-29T09:00:30.500Z'],
    ['2026-03-29T09:00:00.123456789-05:30', '2026-03-29T14:30:00.123Z'],
    ['2026-03-29t09:00:00z', '2026-03-29T09:00:00.000Z'],
    ['2028-02-29T12:00', '2028-02-29T11:00:00.000Z'],
    ['1970-01-01T01:00', '1970-01-01T00:00:00.000Z'],
    ['9998-12-31T23:59:59Z', '9998-12-31T23:59:59.000Z'],
  ])('is read: %s', (text, instant) => {
    expect(berlin(text)).toEqual({ instant })
  })

  it.each([
    '2025-02-30T09:00',
    '2025-02-29T09:00Z',
    '2026-04-31T09:00+02:00',
    '2026-13-01T09:00',
    '2026-00-10T09:00',
    '2026-01-00T09:00',
  ])('is refused for a day that is in no calendar: %s', text => {
    expect(berlin(text)).toEqual({ fault: 'must be a day that is in the calendar' })
  })

  it.each([
    '',
    'tomorrow',
    '2026-03-29',
    '2026-03-29T09',
    '2026-03-29 09:00',
    '2026-03-29T24:00',
    '2026-03-29T24:00:00Z',
    '2026-03-29T09:60',
    '2016-12-31T23:59:60Z',
    '2026-03-29T09:00:00.Z',
    '2026-03-29T09:00:00.1234567890Z',
    '2026-03-29T09:00+2:00',
    '2026-03-29T09:00+24:00',
    '2026-03-29T09:00[Europe/Berlin]',
    '2026-W13-7T09:00',
    '2026-088T09:00',
    '20260329T090000Z',
    '+002026-03-29T09:00Z',
    '٢٠٢٦-03-29T09:00',
    '2026-03-29T09:00\n',
  ])('is refused in any other form: %j', text => {
    expect(berlin(text)).toEqual({ fault: expect.stringContaining('must be a time, such as') })
  })

  it.each([
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:30',
    '9999-01-01T00:00Z',
    '9998-12-31T23:30-01:00',
    '0000-01-01T00:00Z',
  ])('is refused outside the years 1970 to 9998: %s', text => {
    expect(berlin(text)).toEqual({ fault: 'must be in a year from 1970 to 9998' })
  })

  it('is refused when the clocks skip it', () => {
    const fault = 'does not exist in Europe/Berlin: the clocks are put forward over it'
    expect(berlin('2026-03-29T02:30')).toEqual({ fault })
    expect(berlin('2026-03-29T02:00')).toEqual({ fault })
    expect(berlin('2026-03-29T03:00')).toEqual({ instant: '2026-03-29T01:00:00.000Z' })
    expect(instantOf('2011-12-30T12:00', 'Pacific/Apia')).toHaveProperty('fault')
  })

  it('is the earlier of two when the clocks show it twice', () => {
    expect(berlin('2026-10-25T02:30')).toEqual({ instant: '2026-10-25T00:30:00.000Z' })
    expect(berlin('2026-10-25T02:30+01:00')).toEqual({ instant: '2026-10-25T01:30:00.000Z' })
    expect(instantOf('2026-11-01T01:30', 'America/New_York')).toEqual({ instant: '2026-11-01T05:30:00.000Z' })
    expect(instantOf('2026-04-05T01:45', 'Australia/Lord_Howe')).toEqual({ instant: '2026-04-04T14:45:00.000Z' })
  })

  it('is refused in a zone that there is not', () => {
    expect(instantOf('2026-03-29T09:00', 'Europe/Atlantis')).toHaveProperty('fault')
  })
})

it('tells what the clocks of a zone show, always with the offset', () => {
  expect(localTimeOf('2026-03-29T07:00:00.000Z', 'Europe/Berlin')).toBe('2026-03-29T09:00:00+02:00')
  expect(localTimeOf('2026-03-29T07:00:00.999Z', 'UTC')).toBe('2026-03-29T07:00:00+00:00')
  expect(localTimeOf('2026-01-01T03:00:00.000Z', 'America/St_Johns')).toBe('2025-12-31T23:30:00-03:30')
  expect(localTimeOf('2026-10-25T01:30:00.000Z', 'Europe/Berlin')).toBe('2026-10-25T02:30:00+01:00')
})
