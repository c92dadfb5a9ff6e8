import { call, type Reply } from '../http.ts'
import { type Inside, word } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { accepted, holds, matches, NotRun, numbers, payloadsOf, refused, same, seqsOf } from '../verdict.ts'

/** Who sends too much is told so, alone; nobody else notices, and nothing that was stored is lost. */

/** So many unacknowledged signals of one sender may be in one inbox. */
const share = 200

async function fill(from: Inside, to: Inside): Promise<void> {
  const outcomes = await from.tell(to, ...numbers(1, share).map(String))
  const queued = outcomes.filter(({ status }) => status === 'queued')
  same(queued.length, share, 'signals that were queued of those that make up a share')
}

export const fairness: Promises = {
  async 'nothing stored is evicted: over the limit the sender is told 429 backlogged'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await fill(ada, ben)
    const reply = await ada.trySend(word(ben, 'one too many'))
    refused(reply, 429, 'backlogged')
    holds(Number(reply.headers.get('Retry-After')) > 0, 'a 429 without Retry-After')
    const stored = await ben.gather(share)
    same(seqsOf(stored), numbers(1, share), 'the numbers of what was stored before')
    same(payloadsOf(stored), numbers(1, share).map(String), 'what was stored before')
  },

  async 'a full share closes an inbox to that sender alone, and to them no other inbox'({ enter }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    await fill(ada, ben)
    refused(await ada.trySend(word(ben, 'one too many')), 429, 'backlogged')
    matches(await cleo.tell(ben, 'from Cleo'), [{ status: 'queued' }], 'what Cleo sends to Ben')
    matches(await ada.tell(cleo, 'to Cleo'), [{ status: 'queued' }], 'what Ada sends to Cleo')
    same(payloadsOf(await ben.gather(1, share)), ['from Cleo'], 'what Ben reads last')
  },

  async 'a POST of which nothing was stored uses no number'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await fill(ada, ben)
    const numbered = { first_seq: 1, signals: [word(ben, 'the first by number')] }
    refused(await ada.trySend(numbered), 429, 'backlogged')
    await ben.gather(share)
    await ben.ack(share)
    matches(accepted(await ada.trySend(numbered)).results, [{ status: 'queued' }], 'the same, once there is room')
  },

  async 'after a hole, a pair stays backlogged until a new offer: no negotiation goes on without its middle'({
    enter,
  }) {
    const [ada, cleo, ben] = await enter('ada', 'cleo', 'ben')
    await fill(ada, ben)
    const both = await ada.send(word(cleo, 'to Cleo'), word(ben, 'to Ben'))
    matches(both, [{ status: 'queued' }, { status: 'backlogged', deliveries: [] }], 'a POST to both')
    await ben.gather(share)
    await ben.ack(share)
    refused(await ada.trySend(word(ben, 'too early')), 429, 'backlogged')
    const offer = { to: ben.address, type: 'offer', payload: 'anew' }
    const anew = await ada.send(offer, word(ben, 'and on'))
    matches(anew, [{ status: 'queued' }, { status: 'queued' }], 'a new offer, and what follows it')
    same(payloadsOf(await ben.gather(2)), ['anew', 'and on'], 'what Ben reads then')
  },

  async 'a full inbox keeps nobody from leaving, and what they said before stays'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await fill(ada, ben)
    accepted(await ada.leave())
    const last = await ben.gather(2, share - 1)
    matches(
      last,
      [{ payload: `${share}` }, { type: 'peer_left', from: { connection: ada.connection } }],
      'the last two',
    )
  },

  async 'who sends too fast is told so: 429 rate_limited, with Retry-After'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ben.leave()
    const burst = { connection: ada.connection, signals: Array(60).fill(word(ben, 'to nobody')) }
    const replies: Reply<unknown>[] = []
    for (let i = 0; i < 5; i++) {
      replies.push(await call(ada.home, 'POST', '/api/rtc/signals', { token: ada.token, body: burst }))
    }
    const limited = replies.find(({ status }) => status !== 200)
    if (!limited) throw new NotRun('300 signals at once are no burst for this server: its limits are lifted')
    refused(limited, 429, 'rate_limited')
    holds(Number(limited.headers.get('Retry-After')) > 0, 'a 429 without Retry-After')
  },
}
