import type { Acked, Gap, Origin, Page, Signal } from '../wire.ts'
import { ackAhead, connectionClosed, pollSuperseded } from './refusal.ts'

/** One inbox of the small relay, in memory: as it should be, and with each of the faults that relays are known for. */

export const faults = [
  'delete-on-read',
  'timestamp-cursor',
  'check-then-wait',
  'ack-by-fetch',
  'forgotten-first_seq',
  'silent-expiry',
  'eviction',
] as const
export type Fault = (typeof faults)[number] | undefined

/** What is to be stored: a signal, and for how long it is good. */
export interface Entry {
  signal: Omit<Signal, 'seq' | 'deliveries'>
  life_ms: number
  /** Of the sender, if it has one. */
  number?: number
}
interface Stored extends Entry {
  seq: number
  deliveries: number
  dies: number
  state?: 'acked' | GapReason
}
type GapReason = 'expired' | 'stale_ice_session' | 'peer_left'

export type Inbox = ReturnType<typeof createInbox>

export function createInbox(owner: Origin, fault: Fault) {
  let entries: Stored[] = []
  let last = 0
  let floor = 0
  let closed: string | undefined
  let bell = withResolvers()
  let reader = Symbol('nobody')

  function ring(): void {
    const rung = bell
    bell = withResolvers()
    rung.resolve()
  }

  const seqNow = () => (fault === 'timestamp-cursor' ? Math.max(last, Date.now()) : last + 1)

  function append(entry: Entry): number {
    last = seqNow()
    entries.push({ ...entry, seq: last, deliveries: 0, dies: Date.now() + entry.life_ms })
    ring()
    return last
  }

  const reasonOf = ({ state, dies }: Stored) => state ?? (dies <= Date.now() ? 'expired' : undefined)

  function look(after: number, limit: number): Omit<Page, 'acked_through' | 'pending'> {
    const page = { signals: [] as Signal[], cursor: Math.max(after, floor), has_more: false, gap: null as Gap | null }
    let bytes = 0
    for (const entry of entries.filter(({ seq }) => seq > page.cursor)) {
      const { seq, signal } = entry
      const reason = reasonOf(entry)
      if (reason === 'acked' || (reason === 'expired' && fault === 'silent-expiry')) continue
      if (reason === undefined) {
        bytes += JSON.stringify(signal).length
        const isFull = page.signals.length === limit || (bytes > 250_000 && page.signals.length > 0)
        if (isFull) return { ...page, has_more: true }
        page.signals.push({ seq, ...signal, deliveries: ++entry.deliveries })
      } else {
        if (page.gap && (page.gap.to_seq !== seq - 1 || page.gap.reason !== reason)) return { ...page, has_more: true }
        page.gap = { from_seq: page.gap?.from_seq ?? seq, to_seq: seq, reason }
      }
      page.cursor = seq
    }
    return page
  }

  const pending = () => entries.filter(({ state }) => state !== 'acked').length

  function ack(isMeant: (entry: Stored) => boolean): number {
    const acked = entries.filter(entry => entry.state !== 'acked' && isMeant(entry))
    for (const entry of acked) entry.state = 'acked'
    while (entries[0]?.state === 'acked') floor = entries.shift()?.seq ?? floor
    return acked.length
  }

  function requireStored(seq: number): void {
    if (seq > last) throw ackAhead()
  }

  return {
    owner,
    append,
    /** The faulty relay forgets a number together with the signal that had it. */
    knows: (sender: string, number: number) =>
      entries.some(entry => entry.number === number && isOf(entry.signal, sender) && !entry.state),
    get closed() {
      return closed
    },
    get state() {
      return { acked_through: floor, pending: pending(), last }
    },

    close(reason: string): void {
      closed ??= reason
      ring()
    },

    shareOf: (sender: string) => entries.filter(({ signal, state }) => !state && isOf(signal, sender)).length,

    /** Makes room for a newer one, at the cost of the oldest: the fault of many queues. */
    evict(sender: string): void {
      const oldest = entries.findIndex(({ signal }) => isOf(signal, sender))
      entries.splice(oldest, 1)
    },

    async poll(after: number, limit: number, wait_ms: number): Promise<Page> {
      const me = Symbol('reader')
      reader = me
      ring() // whoever was reading finds that they are not any more
      if (fault === 'ack-by-fetch') ack(({ seq }) => seq <= after)
      for (const until = Date.now() + wait_ms; ; ) {
        if (closed) throw connectionClosed(closed)
        if (reader !== me) throw pollSuperseded()
        let next = bell.promise // listen, then look: what rings from here on is heard
        const page = look(after, limit)
        const left = until - Date.now()
        if (page.signals.length > 0 || page.gap || left <= 0) {
          if (fault === 'delete-on-read') entries = entries.filter(({ seq }) => seq > page.cursor)
          return { ...page, acked_through: floor, pending: pending() }
        }
        if (fault === 'check-then-wait') {
          await passing(3)
          next = bell.promise // what rang since the look is not heard
        }
        await Promise.race([next, passing(left)])
      }
    },

    ackThrough(seq: number): Acked {
      requireStored(seq)
      return { acknowledged: ack(entry => entry.seq <= seq), acked_through: floor }
    },
    ackEach(seqs: number[]): Acked {
      requireStored(Math.max(...seqs))
      return { acknowledged: ack(({ seq }) => seqs.includes(seq)), acked_through: floor }
    },

    withdraw(reason: GapReason, isMeant: (signal: Entry['signal']) => boolean): void {
      for (const entry of entries) if (!entry.state && isMeant(entry.signal)) entry.state = reason
      ring()
    },

    /** What nobody fetched in time, as the seqs of each of its senders; once. */
    expire(): Map<string, number[]> {
      const lost = new Map<string, number[]>()
      if (fault === 'silent-expiry') return lost
      for (const entry of entries) {
        const sender = entry.signal.from?.connection
        if (entry.state || sender === undefined || reasonOf(entry) !== 'expired') continue
        entry.state = 'expired'
        lost.set(sender, [...(lost.get(sender) ?? []), entry.seq])
      }
      return lost
    },

    gapsAfter(after: number): Gap[] {
      const gaps: Gap[] = []
      for (let cursor = after; ; ) {
        const page = look(cursor, 1000)
        if (page.gap) gaps.push(page.gap)
        if (!page.has_more) return gaps
        cursor = page.cursor
      }
    },
  }
}

const isOf = ({ from, type }: Entry['signal'], sender: string) =>
  from?.connection === sender && !type.startsWith('peer_')

const passing = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms).unref())

function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
