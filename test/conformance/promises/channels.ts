import { readEvents } from '../http.ts'
import type { Inside } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { begun } from '../time.ts'
import { accepted, Broken, holds, NotRun, same } from '../verdict.ts'

/** The same inbox as a stream of Server-Sent Events. A browser can set no header there: it shows a ticket. */

async function ticketOf(reader: Inside): Promise<string> {
  const reply = await reader.post<{ ticket: string }>('/api/rtc/tickets', {})
  if ([404, 405, 501].includes(reply.status)) throw new NotRun('this server gives no tickets')
  return accepted(reply, 201).ticket
}

const pathOf = ({ connection }: Inside, ticket: string) => `/api/rtc/stream?connection=${connection}&ticket=${ticket}`

/** The events of a stream, each as its id and what it tells. */
async function readStream(reader: Inside, count: number, lastEventId?: string) {
  const path = pathOf(reader, await ticketOf(reader))
  const eventsIn = (text: string) => [...text.matchAll(/^id: (\d+)\nevent: signal\ndata: (.*)\n\n/gm)]
  const text = await readEvents(reader.home, path, text => eventsIn(text).length >= count, lastEventId)
  return eventsIn(text).map(([, id, data = '']) => ({ id, ...JSON.parse(data) }))
}

export const channels: Promises = {
  async 'the stream tells the same signals, with their seq as the id'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one')
    const stream = begun(readStream(ben, 2))
    await ada.tell(ben, 'two')
    const events = (await stream).map(({ id, seq, payload }) => [id, seq, payload])
    same(
      events,
      [
        ['1', 1, 'one'],
        ['2', 2, 'two'],
      ],
      'the events',
    )
  },

  async 'the stream goes on after Last-Event-ID, and deletes nothing either'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one', 'two', 'three')
    await readStream(ben, 3)
    const rest = await readStream(ben, 2, '1')
    same(
      rest.map(({ payload }) => payload),
      ['two', 'three'],
      'what comes after 1',
    )
  },

  async 'a ticket is good once'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    await ada.tell(ben, 'one')
    const path = pathOf(ben, await ticketOf(ben))
    const first = await readEvents(ben.home, path, text => text.includes('data:'))
    holds(first.includes('data:'), 'a ticket that is new brings nothing')
    const again = await readEvents(ben.home, path, () => true).catch(error => error)
    holds(again instanceof Broken, 'the same ticket opens the stream a second time')
  },
}
