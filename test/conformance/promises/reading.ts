import type { Promises } from '../suite.ts'
import { accepted, contentOf, holds, matches, numbers, payloadsOf, same } from '../verdict.ts'

/** Whatever a reader asks for, and however often, costs them nothing: only an acknowledgement takes something away. */
export const reading: Promises = {
  async 'reading deletes nothing: the same question has the same answer'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    const once = await ben.gather(3)
    const again = await ben.read()
    same(payloadsOf(again.signals), ['one', 'two', 'three'], 'what is read the second time')
    same(contentOf(again.signals), contentOf(once), 'the same signals, read twice')
  },

  async 'the same `after` gives the same prefix, whatever arrives meanwhile'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    const before = await ben.gather(2, 1)
    await ada.tell(ben, 'four', 'five')
    const later = await ben.gather(4, 1)
    same(payloadsOf(later), ['two', 'three', 'four', 'five'], 'what comes after seq 1')
    same(contentOf(later).slice(0, 2), contentOf(before), 'the signals that were there before')
  },

  async '`limit=1` pages through a burst, one signal after the other'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const candidate = { to: ben.address, type: 'candidate' }
    const burst = numbers(1, 60).map(number => ({ ...candidate, payload: { candidate: `candidate:${number}` } }))
    await ada.send(...burst)
    let cursor = 0
    for (const seq of numbers(1, 60)) {
      const page = await ben.read({ after: cursor, limit: 1, wait: 1 })
      matches(page, { signals: [{ seq }], cursor: seq, has_more: seq < 60 }, `the page after ${cursor}`)
      cursor = page.cursor
    }
  },

  async 'a page has 256 KiB at most, and one signal at least'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const large = { to: ben.address, type: 'custom.large', payload: 'x'.repeat(60_000) }
    await ada.send(large, large, large, large, large)
    const page = await ben.read({ wait: 1 })
    const bytes = JSON.stringify(page).length
    holds(page.signals.length > 0, 'a page with room for one signal is empty')
    holds(bytes < 260 * 1024 && page.has_more, `${bytes} bytes are in one page; has_more is ${page.has_more}`)
    same((await ben.gather(5)).length, 5, 'the large signals, page by page')
  },

  async 'an inbox in which there is nothing to read answers 200, and the cursor stays where it was'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const nothing = { signals: [], has_more: false, gap: null }
    matches(await ben.read(), { ...nothing, cursor: 0, acked_through: 0, pending: 0 }, 'an inbox that is new')
    await ada.tell(ben, 'one', 'two')
    await ben.gather(2)
    matches(await ben.read({ after: 2 }), { ...nothing, cursor: 2, pending: 2 }, 'an inbox that is read to its end')
    await ben.ack(2)
    matches(await ben.read(), { ...nothing, cursor: 2, pending: 0 }, 'an inbox that is acknowledged to its end')
  },

  async 'no cache may keep an answer: Cache-Control is no-store'({ enter }) {
    const [ben] = await enter('ben')
    const reply = await ben.poll()
    accepted(reply)
    same(reply.headers.get('Cache-Control'), 'no-store', 'Cache-Control')
  },
}
