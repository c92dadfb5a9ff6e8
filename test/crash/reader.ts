import type { z } from 'zod'
import type { Acked, Inbox } from '../../src/features/signaling/schema.ts'
import { upTo, type Word } from './sender.ts'
import type { Person, Wire } from './wire.ts'

/**
 * Reads its inbox and acknowledges some of it, in every way there is, and keeps a book of what it has seen and what it
 * was told: whatever an inbox may not do is found out by the first page that does it.
 */
export type Reader = ReturnType<typeof createReader>

type Page = z.infer<typeof Inbox>
type Signal = Page['signals'][number]
type Ack = { up_to: number } | { seqs: number[] }

export function createReader(wire: Wire, me: Person) {
  /** What senders were told: where their words are. */
  const told = new Map<number, Word>()
  /** What has been read, as it was read. */
  const seen = new Map<number, string>()
  /** Acknowledged, and answered. */
  const acked = new Set<number>()
  /** An acknowledgement without an answer: it may be committed or not. */
  let unsure: { ack: Ack; seqs: number[] } | undefined
  /** How many of each sender are told and not acknowledged. */
  const unread = new Map<string, number>()
  const lastNumbers = new Map<string, number>()
  const counts = { words: 0, wholeReads: 0, acks: 0 }
  let [floor, newest, cursor] = [0, 0, 0]
  /** Something had no answer: the server may be another one by now. */
  let isShaken = true

  function fail(what: string): never {
    throw new Error(`Inbox ${me.connection}: ${what}, ${wire.when()}`)
  }

  async function read(after: number, query = ''): Promise<Page | undefined> {
    const page = await ask<Page>(`/rtc/inbox?connection=${me.connection}&after=${after}${query}`)
    if (!page) return undefined
    if (page.gap) fail(`there is a gap ${JSON.stringify(page.gap)} where nothing has expired`)
    if (query.includes('ack=')) settle()
    const floors = [floor, floorWith(unsure?.seqs ?? [])]
    if (!floors.includes(page.acked_through)) {
      fail(
        `acked_through is ${page.acked_through}, but acknowledged and answered is all up to ${floors.join(', if not ')}`,
      )
    }
    let last = Math.max(after, page.acked_through)
    for (const signal of page.signals) {
      expectAcked(last + 1, signal.seq - 1)
      take(signal)
      last = signal.seq
    }
    expectAcked(last + 1, page.cursor)
    return page
  }

  function expectAcked(from: number, to: number): void {
    for (let seq = from; seq <= to; seq++) {
      if (!acked.has(seq) && !unsure?.seqs.includes(seq)) fail(`${seq} is left out, and nobody has acknowledged it`)
    }
  }

  function take({ deliveries: _, ...signal }: Signal): void {
    const { seq } = signal
    const text = JSON.stringify(signal)
    if (acked.has(seq)) fail(`${seq} is acknowledged, which was answered, and is delivered again: ${text}`)
    const before = seen.get(seq)
    if (before !== undefined) {
      if (before !== text) fail(`${seq} was ${before} and has become ${text}`)
      return
    }
    if (seq !== newest + 1) fail(`${seq} comes after ${newest}`)
    newest = seq
    seen.set(seq, text)
    if (signal.type === 'custom.crash') takeWord(seq, signal.payload as Word, signal.from?.connection)
  }

  function takeWord(seq: number, word: Word, from: string | undefined): void {
    const { sender, number } = word
    if (from !== sender) fail(`${seq} is of ${sender} and says that it is of ${from}`)
    const last = lastNumbers.get(sender) ?? 0
    if (number <= last) fail(`${seq} is number ${number} of ${sender}, whose number ${last} came before it`)
    lastNumbers.set(sender, number)
    counts.words++
    const promised = told.get(seq)
    if (promised) compare(seq, word, promised)
  }

  function compare(seq: number, word: Word, promised: Word): void {
    const isSame = word.sender === promised.sender && word.number === promised.number && word.text === promised.text
    if (!isSame) fail(`${seq} is ${nameOf(word)}, and ${nameOf(promised)} was said to be there`)
  }

  /** All that is unacknowledged, from the very beginning: it has what was answered before it began. */
  async function readAll(): Promise<boolean> {
    const promised = Math.max(0, ...told.keys())
    for (const isSecond of [false, true]) {
      const found = new Set<number>()
      const end = await readInto(found)
      if (end === undefined) return false
      if (end < promised) fail(`it ends with ${end}, but a sender was told that ${promised} is stored`)
      const asked = unsure?.seqs ?? []
      const left = asked.filter(seq => found.has(seq))
      if (left.length === 0 || left.length === asked.length) break
      // The commit that a dying server has asked for may come between two pages, but not after all of them.
      if (isSecond) fail(`half of an ack is committed, and of ${asked} there are still ${left}`)
    }
    counts.wholeReads++
    return true
  }

  async function readInto(found: Set<number>): Promise<number | undefined> {
    for (let after = 0; ; ) {
      const page = await read(after, '&limit=100')
      if (!page) return undefined
      for (const { seq } of page.signals) found.add(seq)
      after = page.cursor
      if (!page.has_more) return after
    }
  }

  /** One that is not answered comes before every other. True once one is. */
  async function acknowledge(ack: Ack): Promise<boolean> {
    unsure ??= { ack, seqs: meantBy(ack) }
    const reply = await ask<z.infer<typeof Acked>>('/rtc/ack', { connection: me.connection, ...unsure.ack })
    if (!reply) return false
    settle()
    if (reply.acked_through !== floor) fail(`an ack is answered with ${reply.acked_through} instead of ${floor}`)
    return true
  }

  const meantBy = (ack: Ack): number[] =>
    ('seqs' in ack ? ack.seqs : range(floor + 1, ack.up_to)).filter(seq => !acked.has(seq))

  /** The acknowledgement is answered. */
  function settle(): void {
    for (const seq of unsure?.seqs ?? []) {
      acked.add(seq)
      const sender = told.get(seq)?.sender
      if (sender) unread.set(sender, unreadOf(sender) - 1)
    }
    floor = floorWith([])
    unsure = undefined
    counts.acks++
  }

  function floorWith(more: number[]): number {
    let seq = floor
    while (acked.has(seq + 1) || more.includes(seq + 1)) seq++
    return seq
  }

  async function ask<Reply>(path: string, body?: object): Promise<Reply | undefined> {
    const reply = await wire.ask<Reply>(me.token, path, body)
    if (!reply) isShaken = true
    return reply
  }

  async function step(): Promise<void> {
    if (isShaken || Math.random() < 0.05) {
      isShaken = false
      if (!(await readAll())) return
    }
    if (unsure) return void (await acknowledge(unsure.ack))
    const ackToo = Math.random() < 0.3 ? floor + upTo(Math.max(1, cursor - floor)) : 0
    if (ackToo > floor && ackToo <= cursor) unsure = { ack: { up_to: ackToo }, seqs: meantBy({ up_to: ackToo }) }
    const page = await read(cursor, `&wait=0.2&limit=${upTo(100)}${unsure ? `&ack=${ackToo}` : ''}`)
    if (page) cursor = page.cursor
    if (unsure || cursor === floor) return
    const dice = Math.random()
    const some = range(floor + 1, cursor).filter(seq => !acked.has(seq) && Math.random() < 0.3)
    if (dice < 0.3) await acknowledge({ up_to: cursor })
    else if (dice < 0.5) await acknowledge({ up_to: floor + upTo(cursor - floor) })
    else if (dice < 0.7 && some.length > 0) await acknowledge({ seqs: some })
  }

  const unreadOf = (sender: string): number => unread.get(sender) ?? 0

  return {
    connection: me.connection,
    counts,
    unreadOf,

    /** A sender was answered so. */
    expectWord(seq: number, word: Word): void {
      if (told.has(seq)) fail(`${nameOf(word)} and ${nameOf(told.get(seq) as Word)} were both said to be at ${seq}`)
      told.set(seq, word)
      if (!acked.has(seq)) unread.set(word.sender, unreadOf(word.sender) + 1)
      const text = seen.get(seq)
      if (text) compare(seq, JSON.parse(text).payload, word)
    },

    async run(isOver: () => boolean): Promise<void> {
      while (!isOver()) await step()
    },

    /** Reads what is left. From then on everything is acknowledged. */
    async finish(): Promise<void> {
      while (unsure) await acknowledge(unsure.ack)
      while (!(await readAll())) {} // what has no answer is asked for again
      for (const seq of told.keys()) if (!seen.has(seq)) fail(`${seq} was never delivered`)
      while (!(await acknowledge({ up_to: newest }))) {}
    },

    /** Nothing is there any more, and nothing has come back. */
    async expectNothing(): Promise<void> {
      let page: Page | undefined
      while (!page) page = await read(0)
      if (page.acked_through !== newest || page.cursor !== newest)
        fail(`it ends with ${page.cursor} instead of ${newest}`)
    },
  }
}

const nameOf = ({ sender, number }: Word) => `number ${number} of ${sender}`

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
