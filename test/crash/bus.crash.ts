import { describe, expect, it, type TestContext } from 'vitest'
import type { Node } from './node.ts'
import { listenersOf, startPair } from './pair.ts'
import { type Apart, meetAt, type Page, untilHeld, wireTo, wordsOf } from './two-apart.ts'

/** A sweep looks each second; this leaves room for a busy machine. */
const sweeping_ms = 3000

/** How long it takes until a poll that is held here is answered with what is sent there. */
async function timeHeld([here, there]: [Node, Node], { read, send }: Apart, after: number, first = async () => {}) {
  const poll = read(wireTo(here), `after=${after}&wait=25`)
  await untilHeld(here)
  await first()
  const began = performance.now()
  const number = await send(wireTo(there))
  const page = await poll
  expect(wordsOf(page)).toEqual([number])
  return { cursor: page?.cursor ?? 0, ms: Math.round(performance.now() - began) }
}

it('a poll is answered within the sweep when the connection for wake-ups is killed under it', async context => {
  const pair = await startPair(context)
  const [here, there] = pair.nodes
  const [ofHere] = await listenersOf(pair, 1)
  await there.start()
  const ofThere = (await listenersOf(pair, 2)).find(pid => pid !== ofHere)
  const apart = await meetAt(wireTo(here))
  let cursor = await apart.cursorAt(wireTo(here))
  const took_ms: number[] = []
  for (let i = 0; i < 5; i++) {
    const pid = (await listenersOf(pair, 2)).find(pid => pid !== ofThere)
    const found = await timeHeld(pair.nodes, apart, cursor, async () => {
      expect(await pair.sql('SELECT pg_terminate_backend($1, 5000) AS gone', [pid])).toEqual([{ gone: true }])
    })
    cursor = found.cursor
    took_ms.push(found.ms)
  }
  console.log(`with the connection for wake-ups killed, a poll was answered after ${took_ms.join(', ')} ms`)
  expect(Math.max(...took_ms)).toBeLessThan(sweeping_ms)
})

describe('when the wake-ups of a node are lost on their way', () => {
  /** It calls a `pg_notify` of its own, which does nothing. */
  async function startMuted(context: Pick<TestContext, 'skip'>) {
    const pair = await startPair(context, 'public,muted,pg_catalog')
    const [here, there] = pair.nodes
    await pair.sql('CREATE SCHEMA muted')
    await pair.sql(`CREATE FUNCTION muted.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''`)
    await there.start()
    await listenersOf(pair, 2)
    const apart = await meetAt(wireTo(here))
    return { nodes: pair.nodes, apart, cursor: await apart.cursorAt(wireTo(here)) }
  }

  it('a poll that another node holds is answered within the sweep', async context => {
    const { nodes, apart, cursor } = await startMuted(context)
    const took_ms: number[] = []
    for (let i = 0, after = cursor; i < 3; i++) {
      const found = await timeHeld(nodes, apart, after)
      after = found.cursor
      took_ms.push(found.ms)
    }
    console.log(`with every wake-up lost, a poll was answered after ${took_ms.join(', ')} ms`)
    expect(Math.max(...took_ms)).toBeLessThan(sweeping_ms)
  })

  it('who asks another node again and again, without waiting, is answered as soon', async context => {
    const { nodes, apart, cursor } = await startMuted(context)
    const [here, there] = nodes
    const number = await apart.send(wireTo(there))
    const until = performance.now() + sweeping_ms
    let page: Page | undefined
    while (!page?.signals.length && performance.now() < until) page = await apart.read(wireTo(here), `after=${cursor}`)
    expect(wordsOf(page), `what was stored is not delivered ${sweeping_ms} ms later`).toEqual([number])
  })
})
