import { describe, expect, it } from 'vitest'
import { createWakeups } from '../../src/wakeups/local.ts'

const nobodyLeaves = () => new AbortController().signal
const forEver = 60_000

describe('a bell', () => {
  it('is heard by whoever waits for its topic, and by nobody else', async () => {
    const wakeups = createWakeups()
    using mine = wakeups.listen('mine', nobodyLeaves())
    using other = wakeups.listen('other', nobodyLeaves())
    let heard = 0
    const waits = [mine, other].map(bell => bell.within(forEver).then(() => heard++))
    wakeups.notify('mine')
    await waits[0]
    expect(heard).toBe(1)
    wakeups.notify('other')
    await waits[1]
  })

  it('that rings between the look and the wait is not missed', async () => {
    const wakeups = createWakeups()
    using bell = wakeups.listen('topic', nobodyLeaves())
    wakeups.notify('topic')
    expect(await bell.within(forEver)).toBe(true)
  })

  it('is no reason to look again when the caller has gone, before or while they wait', async () => {
    const wakeups = createWakeups()
    const caller = new AbortController()
    using bell = wakeups.listen('topic', caller.signal)
    const waits = bell.within(forEver)
    caller.abort()
    expect(await waits).toBe(false)
    expect(await bell.within(forEver)).toBe(false)
  })

  it('lets everybody go when the node stops, and holds nobody after that', async () => {
    const wakeups = createWakeups()
    using bell = wakeups.listen('topic', nobodyLeaves())
    const waits = bell.within(forEver)
    wakeups.stop()
    expect(await waits).toBe(false)
    using late = wakeups.listen('topic', nobodyLeaves())
    expect(await late.within(forEver)).toBe(false)
  })
})
