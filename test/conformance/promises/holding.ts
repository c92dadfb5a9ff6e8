import type { Promises } from '../suite.ts'
import { begun, pause, sleep } from '../time.ts'
import { accepted, holds, matches, numbers, payloadsOf, refused, same, seqsOf } from '../verdict.ts'
import type { Page, Signal } from '../wire.ts'

/** A poll that is held is told of a signal at once, whenever it comes, and whoever hangs up misses nothing. */

/** Several nodes may take this long to find out, by looking themselves, what they were not told of: a second, and some. */
const atOnce_ms = 2_500

export const holding: Promises = {
  async 'a held poll is answered as soon as there is a signal'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const poll = begun(ben.read({ wait: 20 }))
    await sleep(100)
    const sent = performance.now()
    await ada.tell(ben, 'good morning')
    same(payloadsOf((await poll).signals), ['good morning'], 'what the poll was held for')
    const late = performance.now() - sent
    holds(late < atOnce_ms, `it took ${Math.round(late)} ms to tell of it`)
  },

  async 'a signal sent while a poll is about to wait is delivered at once, not at the timeout'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    for (const number of numbers(1, 90)) {
      const offset_ms = (number % 18) / 3 // from 0 to 5.7, in thirds
      const poll = begun(ben.read({ after: number - 1, wait: 4 }))
      await pause(offset_ms)
      const sent = performance.now()
      const [page] = await Promise.all([poll, ada.tell(ben, `number ${number}`)])
      const late = Math.round(performance.now() - sent)
      holds(late < atOnce_ms, `sent ${offset_ms.toFixed(1)} ms after the poll began, it came ${late} ms later`)
      same(payloadsOf(page.signals), [`number ${number}`], 'what the poll was held for')
    }
  },

  async 'a poll that is held in vain is answered 200, and empty'({ enter }) {
    const [ben] = await enter('ben')
    const began = performance.now()
    const page = await ben.read({ wait: 1 })
    matches(page, { signals: [], cursor: 0, gap: null }, 'a poll in which nothing happened')
    const held = performance.now() - began
    holds(held > 900 && held < 4_000, `a poll with wait=1 was held for ${Math.round(held)} ms`)
  },

  async 'a newer poll supersedes the older one, which is told so: 409 poll_superseded'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const older = begun(ben.poll({ wait: 4 }))
    await sleep(100)
    const newer = begun(ben.read({ wait: 20 }))
    refused(await older, 409, 'poll_superseded')
    await ada.tell(ben, 'for the newer one')
    same(payloadsOf((await newer).signals), ['for the newer one'], 'what the newer poll reads')
  },

  async 'a held poll that the reader cuts off loses nothing'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const hangUp = new AbortController()
    const poll = begun(ben.poll({ wait: 20 }, hangUp.signal).catch(() => 'cut off'))
    await sleep(100)
    hangUp.abort()
    await ada.tell(ben, 'one', 'two')
    same(await poll, 'cut off', 'the poll')
    same(payloadsOf(await ben.gather(2)), ['one', 'two'], 'what is there for the next poll')
  },

  async 'an answer that is cut off in the middle loses nothing'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const large = (number: number) => ({ to: ben.address, type: 'custom.large', payload: `${number} `.repeat(20_000) })
    await ada.send(large(1), large(2), large(3), large(4))
    await ben.gather(4)
    await ben.cutAnswer({ limit: 100 })
    same(seqsOf(await ben.gather(4)), [1, 2, 3, 4], 'what is there for the next poll')
  },

  async 'who hangs up at random moments gets every signal, in order, and none again that is acknowledged'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')

    /** Says with each question how far it has come, and nothing else: where to begin is for the server to know. */
    async function ask(ack: number): Promise<Page | undefined> {
      const hangUp = new AbortController()
      const patience = setTimeout(() => hangUp.abort(), Math.random() < 0.3 ? 4_000 : Math.random() * 10)
      try {
        const reply = await ben.poll({ ack, wait: 1 }, hangUp.signal)
        if (reply.problem.code === 'poll_superseded') return undefined // by one that was cut off, and came late
        return accepted(reply)
      } catch (error) {
        if (!hangUp.signal.aborted) throw error
      } finally {
        clearTimeout(patience)
      }
    }

    async function readAll(count: number): Promise<Signal[]> {
      const got: Signal[] = []
      let acked = 0
      for (const until = performance.now() + 15_000; got.length < count; ) {
        holds(performance.now() < until, `only ${got.length} of ${count} signals have come`)
        const page = await ask(acked)
        got.push(...(page?.signals ?? []))
        acked = page?.cursor ?? acked
      }
      return got
    }

    const send = async () => {
      for (const number of numbers(1, 80)) await ada.tell(ben, `${number}`)
    }
    const [got] = await Promise.all([readAll(80), send()])
    same(seqsOf(got), numbers(1, 80), 'what has come')
  },
}
