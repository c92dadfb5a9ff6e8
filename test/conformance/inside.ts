import { type Asking, call, cutAnswer, type Reply } from './http.ts'
import { sleep } from './time.ts'
import { accepted, holds } from './verdict.ts'
import type { Acked, Gap, Joined, Outcome, Outgoing, Page, Resumed, Signal } from './wire.ts'

/** Somebody with an account, and the node at which they call. */
export interface Person {
  user: string
  token: string
  home: string
}

/** The query of the inbox. */
export interface Question {
  after?: number
  limit?: number
  wait?: number
  ack?: number
}

/** The body of a send: several signals, or one bare. */
export type Sending = { first_seq?: number } & ({ signals: Outgoing[] } | Outgoing)

/** What a reader has seen so far. */
export interface Seen {
  signals: Signal[]
  gaps: Gap[]
  cursor: number
}

const patience_ms = 3_000

/** One connection of somebody who is inside: what they can do with their inbox, and with those of others. */
export type Inside = ReturnType<typeof createInside>

export function createInside({ user, token, home }: Person, meeting_id: string, joined: Joined) {
  const connection = joined.connection.id

  function ask<Body>(method: string, path: string, asking: Asking = {}): Promise<Reply<Body>> {
    return call<Body>(home, method, path, { token, ...asking })
  }
  const post = <Body>(path: string, body: object) => ask<Body>('POST', path, { body: { connection, ...body } })

  function inbox({ after, limit, wait, ack }: Question): string {
    const query = new URLSearchParams({ connection })
    for (const [name, value] of Object.entries({ after, limit, wait, ack })) {
      if (value !== undefined) query.set(name, String(value))
    }
    return `/api/rtc/inbox?${query}`
  }

  /** As any client should: who is told that they are too fast waits, and says the same again. */
  async function trySend(body: Sending, tries = 5): Promise<Reply<{ results: Outcome[] }>> {
    const reply = await post<{ results: Outcome[] }>('/api/rtc/signals', body)
    if (reply.problem.code !== 'rate_limited' || tries === 1) return reply
    await sleep(Number(reply.headers.get('Retry-After')) * 1000)
    return trySend(body, tries - 1)
  }

  async function send(...signals: Outgoing[]): Promise<Outcome[]> {
    return accepted(await trySend({ signals })).results
  }

  const poll = (question: Question = {}, signal?: AbortSignal) => ask<Page>('GET', inbox(question), { signal })
  const read = async (question: Question = {}): Promise<Page> => accepted(await poll(question))

  /** Reads on from a cursor, in held polls, until enough has been seen. */
  async function readUntil(
    what: string,
    enough: (seen: Seen) => boolean,
    { after = 0, within_ms = patience_ms } = {},
  ): Promise<Seen> {
    const seen: Seen = { signals: [], gaps: [], cursor: after }
    for (const until = performance.now() + within_ms; !enough(seen); ) {
      const came = `${seen.signals.length} signals and ${seen.gaps.length} gaps came`
      holds(performance.now() < until, `${what} should have come within ${within_ms / 1000} s: ${came}`)
      const { signals, gap, cursor } = await read({ after: seen.cursor, limit: 100, wait: 1 })
      seen.signals.push(...signals)
      if (gap) seen.gaps.push(gap)
      seen.cursor = cursor
    }
    return seen
  }

  return {
    connection,
    user,
    token,
    home,
    meeting_id,
    participant: joined.participant.id,
    joined,
    /** As others name it. */
    address: { connection },
    ask,
    post,

    trySend: (body: Sending) => trySend(body),
    send,
    /** Words, as signals of a type of our own. */
    async tell(to: Addressee, ...texts: string[]): Promise<Outcome[]> {
      const outcomes: Outcome[] = []
      for (let i = 0; i < texts.length; i += 50) {
        outcomes.push(...(await send(...texts.slice(i, i + 50).map(text => word(to, text)))))
      }
      return outcomes
    },

    poll,
    read,
    readUntil,
    /** So many signals, or more if they are there, from a cursor on. */
    async gather(count: number, after = 0): Promise<Signal[]> {
      return (await readUntil(`${count} signals`, ({ signals }) => signals.length >= count, { after })).signals
    },
    cutAnswer: (question: Question = {}) => cutAnswer(home, inbox(question), token),

    tryAck: (ack: { up_to: number } | { seqs: number[] }) => post<Acked>('/api/rtc/ack', ack),
    ack: async (up_to: number): Promise<Acked> => accepted(await post<Acked>('/api/rtc/ack', { up_to })),

    resume: (resume_token: string, cursor: number) => post<Resumed>('/api/rtc/resume', { resume_token, cursor }),
    leave: () => post(`/api/meetings/${meeting_id}/leave`, {}),
  }
}

/** The same connection, of somebody who calls at another node from now on. */
export const movedTo = (url: string, inside: Inside): Inside =>
  createInside({ ...inside, home: url }, inside.meeting_id, inside.joined)

interface Addressee {
  address: Outgoing['to']
}

/** One word, as a signal. */
export const word = ({ address }: Addressee, payload: string): Outgoing => ({
  to: address,
  type: 'custom.word',
  payload,
})
