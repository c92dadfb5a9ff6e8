import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome, Sent } from '../../src/features/signaling/schema.ts'
import type { Reader } from './reader.ts'
import type { Person, Wire } from './wire.ts'

/** Sends on and on, in numbered POSTs, each again and again until it is answered; and believes every answer. */

export type Sender = ReturnType<typeof createSender>

/** A payload: by what it says, a reader knows it among all others. */
export interface Word {
  sender: string
  number: number
  text: string
}

interface Post {
  first_seq: number
  to: Reader
  words: Word[]
  /** Where in the inbox they are, once it is answered. */
  seqs: number[]
}

const mostWords = 8
/** Less than one sender may have unread in one inbox. */
const mostUnread = 150

export function createSender(wire: Wire, me: Person, readers: Reader[]) {
  const posts: Post[] = []
  const counts = { words: 0, retried: 0, committedUnanswered: 0 }
  let next = 1

  function write(to: Reader): Post {
    const words = Array.from({ length: upTo(mostWords) }, (_, i) => {
      const size = Math.random() < 0.05 ? 20_000 : upTo(600)
      return { sender: me.connection, number: next + i, text: 'x'.repeat(size) }
    })
    next += words.length
    return { first_seq: next - words.length, to, words, seqs: [] }
  }

  async function ask(...all: [Post, ...Post[]]): Promise<Outcome[] | undefined> {
    const signals = all.flatMap(({ to: { connection }, words }) =>
      words.map(payload => ({ to: { connection }, type: 'custom.crash', payload })),
    )
    const body = { connection: me.connection, first_seq: all[0].first_seq, signals }
    return (await wire.ask<Sent>(me.token, '/rtc/signals', body))?.results
  }

  /** Now and then with the one before it once more, as somebody sends who is not sure of that either. */
  async function send(post: Post): Promise<void> {
    for (let tries = 1; ; tries++) {
      const before = Math.random() < 0.2 ? posts.at(-1) : undefined
      const results = await (before ? ask(before, post) : ask(post))
      if (!results) continue
      if (before) expectRepeated(results.splice(0, before.words.length), before)
      settle(post, results, tries)
      return
    }
  }

  /** A whole POST is committed or is not; only one whose answer was lost can be known already. */
  function settle(post: Post, results: Outcome[], tries: number): void {
    const status = [...new Set(results.map(({ status }) => status))].join(' and ')
    const isKnown = status === 'duplicate' && tries > 1
    if ((status !== 'queued' && !isKnown) || results.some(({ deliveries }) => deliveries.length !== 1)) {
      throw new Error(`${nameOf(post)}, try ${tries}, was answered ${JSON.stringify(results)}, ${wire.when()}`)
    }
    if (tries > 1) counts.retried++
    if (isKnown) counts.committedUnanswered++
    counts.words += post.words.length
    post.seqs = results.map(({ deliveries: [at] }) => at?.seq ?? 0)
    for (const [i, word] of post.words.entries()) post.to.expectWord(post.seqs[i] ?? 0, word)
    posts.push(post)
  }

  function expectRepeated(results: Outcome[], post: Post): void {
    const told = results.map(({ status, first_status, deliveries: [at] }) => `${status} ${first_status} ${at?.seq}`)
    const wanted = post.seqs.map(seq => `duplicate queued ${seq}`)
    if (told.join() !== wanted.join()) {
      throw new Error(`${nameOf(post)}, sent again, was answered ${told} instead of ${wanted}, ${wire.when()}`)
    }
  }

  const nameOf = ({ first_seq, words }: Post) => `${me.connection} ${first_seq} to ${first_seq + words.length - 1}`

  return {
    counts,

    async run(isOver: () => boolean): Promise<void> {
      while (!isOver()) {
        const withRoom = readers.filter(reader => reader.unreadOf(me.connection) + mostWords <= mostUnread)
        const to = withRoom[Math.floor(Math.random() * withRoom.length)]
        if (to) await send(write(to))
        else await pause(5)
      }
    },

    /** What was answered long ago is answered alike. */
    async repeat(last: number): Promise<void> {
      for (const post of posts.slice(-last)) {
        let results: Outcome[] | undefined
        while (!results) results = await ask(post)
        expectRepeated(results, post)
      }
    },
  }
}

export const upTo = (most: number): number => 1 + Math.floor(Math.random() * most)
