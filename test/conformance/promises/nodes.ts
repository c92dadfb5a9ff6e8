import { type Inside, movedTo, word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { begun, sleep } from '../time.ts'
import { accepted, matches, NotRun, payloadsOf, refused, same } from '../verdict.ts'

/**
 * With several nodes, most of the promises above were about two of them already, since people call at different ones. Here
 * are those about one person who calls at both.
 */

/** The same connection, at another node. */
function elsewhere(reader: Inside, urls: string[]): Inside {
  const other = urls.find(url => url !== reader.home)
  if (other === undefined) throw new NotRun('there is only one --url')
  return movedTo(other, reader)
}

export const nodes: Promises = {
  async 'a reader goes on at another node, with the same cursor and nothing twice'({ enter, urls }) {
    const [ada, ben] = await enter('ada', 'ben')
    const there = elsewhere(ben, urls)
    await ada.tell(ben, 'one', 'two', 'three')
    await ben.gather(3)
    await ben.ack(2)
    same(payloadsOf(await there.gather(1)), ['three'], 'what is not acknowledged')
    await ada.tell(ben, 'four')
    same(payloadsOf(await there.gather(1, 3)), ['four'], 'what comes after the cursor')
    matches(await there.ack(4), { acknowledged: 2, acked_through: 4 }, 'the ack there')
  },

  async 'a signal sent at either node wakes the poll that is held at the other'({ enter, urls }) {
    const [ada, ben] = await enter('ada', 'ben')
    const there = elsewhere(ada, urls)
    for (const [i, sender] of [ada, there, ada, there].entries()) {
      const poll = begun(ben.gather(1, i))
      await sleep(30)
      await sender.tell(ben, `${i}`)
      same(payloadsOf(await poll), [`${i}`], `what is sent at ${sender.home}`)
    }
  },

  async 'a number that was used at one node is known at the other'({ enter, urls }) {
    const [ada, ben] = await enter('ada', 'ben')
    const there = elsewhere(ada, urls)
    const sending = { first_seq: 1, signals: [word(ben, 'one')] }
    const replies = [await ada.trySend(sending), await there.trySend(sending), await ada.trySend(sending)]
    const statuses = replies.flatMap(reply => accepted(reply).results.map(({ status }) => status))
    same(statuses, ['queued', 'duplicate', 'duplicate'], 'what becomes of the same send at each')
    same(payloadsOf(await ben.gather(1)), ['one'], 'what Ben reads')
  },

  async 'a newer poll supersedes the older one across nodes'({ enter, urls }) {
    const [ben] = await enter('ben')
    const there = elsewhere(ben, urls)
    const older = begun(ben.poll({ wait: 5 }))
    await sleep(100)
    const newer = begun(there.poll({ wait: 1 }))
    refused(await older, 409, 'poll_superseded')
    accepted(await newer)
  },
}
