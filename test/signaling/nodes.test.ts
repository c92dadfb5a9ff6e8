import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'
import { untilHeld } from './people.ts'
import { comeIn, type Insider, meet, word } from './room.ts'

const world = await createWorld()
const nodeTwo = await world.startNode()

/** Waits at the other node; whatever else happens there, the sweep of a second is the longest that it takes. */
async function waiting(who: Insider) {
  const there = who.through(nodeTwo)
  const poll = there.poll({ after: (await there.read()).body.cursor })
  await untilHeld(nodeTwo)
  const soon = async () => {
    const answer = await Promise.race([poll, pause(4000, { status: 0, body: { signals: [] } })])
    await there.read() // takes the place of who still waits
    return answer
  }
  return { there, poll, soon }
}

describe('who waits at one node for what is sent at another', () => {
  it('hears of it', async () => {
    const { ada, bob } = await meet(world)
    const { soon } = await waiting(bob)
    await ada.send(word(bob, 'hello'))
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears of it, too, when its sender, whose answer was lost, sends it again at that node', async () => {
    const { ada, bob } = await meet(world)
    const { soon } = await waiting(bob)
    const body = { first_seq: 1, ...word(bob, 'hello') }
    await ada.send(body)
    const again = await ada.through(nodeTwo).send(body)
    expect(again.body.results).toMatchObject([{ status: 'duplicate' }])
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears of it, too, when somebody fails at that node to send them something', async () => {
    const { ada, bob, room } = await meet(world)
    const carl = await comeIn(world, room, 'Carl')
    await bob.drain()
    const { soon } = await waiting(bob)
    await ada.send(word(bob, 'hello'))
    const unknown = word({ connection: 'con_made-up' }, 1)
    expect((await carl.through(nodeTwo).send({ signals: [word(bob, 1), unknown] })).status).toBe(404)
    expect((await soon()).body.signals).toMatchObject([{ payload: 'hello' }])
  })

  it('hears that it is closed, when it has just tried to write there', async () => {
    const { bob, ada } = await meet(world)
    const { soon, there } = await waiting(bob)
    await bob.leave()
    expect((await there.send(word(ada, 'too late'))).status).toBe(410)
    expect((await soon()).status).toBe(410)
  })
})

describe('who reads at one node and then at the other', () => {
  it('is never taken for two, however late the one hears of the other', async () => {
    const { ada, bob } = await meet(world)
    await bob.drain()
    const places = [world, nodeTwo].map(node => ({ node, reader: bob.through(node), sender: ada.through(node) }))
    const heard: unknown[] = []
    let { cursor } = (await bob.read()).body
    for (let i = 1; i <= 30; i++) {
      for (const { node, reader, sender } of places) {
        const poll = reader.poll({ after: cursor })
        await untilHeld(node)
        await sender.send(word(bob, i))
        const { status, body } = await poll
        expect(status, JSON.stringify(body)).toBe(200)
        heard.push(...body.signals.map(({ payload }: { payload: number }) => payload))
        cursor = body.cursor
      }
      if (i % 3 === 0) await bob.read({ after: cursor })
    }
    expect(heard).toEqual(Array.from({ length: 60 }, (_, i) => Math.floor(i / 2) + 1))
  })

  it('goes on waiting when word comes late of where they were before, and gives way to who came later', async () => {
    const { bob } = await meet(world)
    const { poll } = await waiting(bob)
    nodeTwo.wakeups.wake(`reader ${bob.connection} ${Date.now() - 5000}`)
    await untilHeld(nodeTwo)
    nodeTwo.wakeups.wake(`reader ${bob.connection} ${Date.now() + 5000}`)
    expect(await poll).toMatchObject({ status: 409, body: { code: 'poll_superseded' } })
  })
})

if (engine === 'postgres') {
  describe('who still waits at the node that somebody has left', () => {
    it.each([
      ['resumes', (bob: Insider) => bob.call('POST', '/api/rtc/resume', resumeOf(bob))],
      ['asks without waiting', (bob: Insider) => bob.read()],
      ['waits', (bob: Insider) => bob.poll({ wait: 1, after: 1 })],
    ])('is told so when they go on here: who %s', async (_, goOn) => {
      const { bob } = await meet(world)
      const { soon } = await waiting(bob)
      await goOn(bob)
      expect(await soon()).toMatchObject({ status: 409, body: { code: 'poll_superseded' } })
    })

    it('is told so when the word of it was lost, and the two speak again', async () => {
      const { ada, bob } = await meet(world)
      const { poll } = await waiting(bob)
      const tell = world.wakeups.tell
      world.wakeups.tell = () => {}
      const here = bob.poll({ after: (await bob.read()).body.cursor })
      await untilHeld(world)
      world.wakeups.tell = tell
      world.wakeups.wakeAll() // as after the connection for it was made anew
      expect(await poll).toMatchObject({ status: 409, body: { code: 'poll_superseded' } })
      await ada.send(word(bob, 'hello'))
      expect(await here).toMatchObject({ status: 200, body: { signals: [{ payload: 'hello' }] } })
    })
  })
}

const resumeOf = ({ connection, resume_token }: Insider) => ({ connection, resume_token, cursor: 0 })
