import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { whenDone } from '../support/cleanup.ts'
import { engine } from '../support/database.ts'
import { emptyFolder, run } from '../support/process.ts'
import { createWorld } from '../support/world.ts'
import { faults, startRelay } from './faulty-relay.ts'
import { judge, type Options, type Verdict } from './suite.ts'

/** What the suite says of a server with that fault, among other things. */
const sentenceOn: { [fault in (typeof faults)[number]]: string } = {
  'delete-on-read': 'reading deletes nothing: the same question has the same answer',
  'timestamp-cursor': 'the cursor is dense: 1, 2, 3, … in each inbox',
  'check-then-wait': 'a signal sent while a poll is about to wait is delivered at once, not at the timeout',
  'ack-by-fetch': 'fetching is not acknowledging: a cursor says where to read, not what may go',
  'forgotten-first_seq': 'the same first_seq is one copy: sent again before delivery, after it, and after the ack',
  'silent-expiry': 'what expired is told as a gap, which can be acknowledged across',
  eviction: 'nothing stored is evicted: over the limit the sender is told 429 backlogged',
}

async function judged(options: Options): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for await (const verdict of judge(options)) verdicts.push(verdict)
  return verdicts
}

async function startRelayForThis(fault?: (typeof faults)[number]): Promise<string> {
  const relay = await startRelay(fault)
  whenDone(relay.stop)
  return relay.url
}

const those = (verdicts: Verdict[], outcome: Verdict['outcome']) => verdicts.filter(each => each.outcome === outcome)

describe('the conformance suite', () => {
  it('has nothing to say against a relay that is sound', async () => {
    const verdicts = await judged({ urls: [await startRelayForThis()] })
    expect(those(verdicts, 'FAIL')).toEqual([])
    expect(those(verdicts, 'pass').length).toBeGreaterThan(65)
  }, 60_000)

  it.for(faults)('says of a relay with the fault %s what it breaks', async fault => {
    const only = sentenceOn[fault]
    const verdicts = await judged({ urls: [await startRelayForThis(fault)], only })
    // For what it found, and not because something else went wrong.
    expect(verdicts).toMatchObject([{ sentence: only, outcome: 'FAIL', why: expect.not.stringContaining('Error') }])
  })

  it('is a command that prints a table, and ends with 1 if a promise is broken', async () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const node = ['--import', import.meta.resolve('tsx'), main]
    const folder = emptyFolder()
    const command = (url: string) =>
      run(process.execPath, [...node, '--url', url, '--only', 'reading deletes'], folder, {})
    const sound = command(await startRelayForThis())
    const faulty = command(await startRelayForThis('delete-on-read'))
    expect([await sound.ended, await faulty.ended]).toMatchObject([{ code: 0 }, { code: 1 }])
    expect(sound.output()).toMatch(/ {2}pass {5}reading deletes nothing.*\n\n1 kept, 0 broken, 0 not run/)
    expect(faulty.output()).toMatch(/ {2}FAIL {5}reading deletes nothing.*\n +→ .*\n\n0 kept, 1 broken, 0 not run/)
  })
})

describe('Parley', () => {
  it('keeps every promise of the inbox, on as many nodes as the engine allows', async () => {
    const world = await createWorld({ DATABASE_URL: process.env.TEST_DATABASE_URL }) // so that it knows of other nodes
    const urls = [world.origin]
    if (engine === 'postgres') urls.push((await world.startNode()).origin)

    /** Somewhat further than is asked for, so that the next sweep finds that it is due. */
    async function advance(ms: number): Promise<void> {
      world.clock.advance(ms / 1000 + 3)
      await world.app.sweeper.tick()
    }
    const verdicts = await judged({ urls, advance })
    expect(those(verdicts, 'FAIL')).toEqual([])
    const reasons = those(verdicts, 'not run').map(({ why }) => why)
    const limits = '300 signals at once are no burst for this server: its limits are lifted'
    expect(reasons).toEqual([limits, ...(urls.length === 1 ? Array(4).fill('there is only one --url') : [])])
  }, 120_000)
})
