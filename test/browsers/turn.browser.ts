import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { whenDone } from '../support/cleanup.ts'
import { coturn, startCoturn } from './coturn.ts'
import {
  browsers,
  enter,
  type InPage,
  launch,
  type Person,
  someone,
  troublesOf,
  untilSees,
  untilTheyMove,
  untilTheyTalk,
} from './pages.ts'
import { startParley } from './server.ts'

const TURN_SECRET = randomBytes(32).toString('hex')
let rooms = 0

describe('People whose browsers may use nothing but a relay', () => {
  it.for(['udp', 'tcp'] as const)('see and hear each other by coturn, reached by %s', async (transport, context) => {
    orNotRun(context, browsers())
    orNotRun(context, coturn())
    const relay = await startCoturn(TURN_SECRET)
    const parley = await startParley({ TURN_URLS: relay.url(transport), TURN_SECRET })
    const both = await twoInside(parley.origin, ({ types }) => types.length > 0)
    for (const who of both) await untilSees(who, 1)
    await untilTheyMove(both)
    await untilTheyTalk(both)
    for (const who of both) {
      expect(await pathOf(who)).toEqual({ local: 'relay', remote: 'relay', relayProtocol: transport })
      expect(new Set((await gatheredBy(who)).types)).toEqual(new Set(['relay']))
      expect(relay.log()).toContain(`user <${await nameOf(who)}>: incoming packet ALLOCATE processed, success`)
      expect(await troublesOf(who)).toEqual([])
    }
  })

  it('have no relay by a name that was signed with another secret', async context => {
    orNotRun(context, browsers())
    orNotRun(context, coturn())
    const relay = await startCoturn(TURN_SECRET)
    const parley = await startParley({ TURN_URLS: relay.url('udp'), TURN_SECRET: randomBytes(32).toString('hex') })
    const both = await twoInside(parley.origin, ({ state }) => state === 'complete')
    for (const who of both) {
      expect(await gatheredBy(who)).toEqual({ state: 'complete', types: [] })
      const name = await nameOf(who)
      expect(relay.log()).toContain(`user <${name}>: incoming packet message processed, error 401`)
      expect(relay.log()).not.toContain(`user <${name}>: incoming packet ALLOCATE processed, success`)
    }
  })
})

/**
 * Two who are inside, and whose browsers have asked the relay. In one of some seventy runs, the first page of a fresh
 * Chromium sends the relay not one packet; then there is one more browser, and it is said.
 */
async function twoInside(origin: string, haveAsked: (gathered: Gathered) => boolean): Promise<[Person, Person]> {
  for (let attempt = 1; ; attempt++) {
    const browser = await launch()
    whenDone(() => browser.close())
    const both: [Person, Person] = [await someone(browser, origin), await someone(browser, origin)]
    const room = `relayed-${++rooms}`
    for (const [i, who] of both.entries()) await enter(who, room, `Person ${i}`, { ice_transport_policy: 'relay' })
    try {
      for (const who of both) await expect.poll(() => gatheredBy(who)).toSatisfy(haveAsked)
      return both
    } catch (error) {
      if (attempt > 1) throw error
      console.log('retried: a page gathered nothing; attempt 2 is with a fresh browser')
    }
  }
}

interface Gathered {
  state: string
  types: string[]
}

const gatheredBy = ({ page }: Person): Promise<Gathered> =>
  page.evaluate(async () => {
    const [peer] = (globalThis as unknown as InPage).call.peers.values()
    const reports = [...((await peer?.pc?.getStats())?.values() ?? [])]
    const types = reports.filter(({ type }) => type === 'local-candidate').map(({ candidateType }) => candidateType)
    return { state: peer?.pc?.iceGatheringState ?? 'none', types }
  })

const pathOf = ({ page }: Person) =>
  page.evaluate(async () => {
    const [peer] = (globalThis as unknown as InPage).call.peers.values()
    const reports = (await peer?.pc?.getStats()) ?? new Map()
    const transport = [...reports.values()].find(({ type }) => type === 'transport')
    const pair = reports.get(transport.selectedCandidatePairId)
    const { candidateType: local, relayProtocol } = reports.get(pair.localCandidateId)
    return { local, remote: reports.get(pair.remoteCandidateId).candidateType, relayProtocol }
  })

/** The name that Parley has made for them, which says when it expires. */
const nameOf = ({ page }: Person) =>
  page.evaluate(() => (globalThis as unknown as InPage).call.ice_servers.map(({ username }) => username).join())
