import type { GapReason, Inbox, Pair, Pairs, Stored } from './inbox.ts'

/** What is appended: its seq is given here. */
export type Entry = Omit<Stored, 'seq' | 'run' | 'state' | 'deliveries'>

/**
 * An inbox with changes that are not committed yet. What is decided in one transaction is decided on drafts, one after
 * the other, so that each decision finds what those before it did; readers go on seeing the inbox itself.
 *
 * A class, unlike anything else here: thousands are made every second, and closures would cost three times as much.
 */
export class Draft {
  readonly inbox: Inbox
  readonly appended: Stored[] = []
  acked_through: number
  send_next: number
  /** Those whose state is another one than in the inbox. */
  states: Map<number, NonNullable<Stored['state']>> | undefined
  private shares: Map<string, number> | undefined
  /** By how much the sum of the shares is another one than in the inbox. */
  private shared = 0
  private pairs: Map<string, Pair> | undefined

  constructor(inbox: Inbox) {
    this.inbox = inbox
    this.acked_through = inbox.acked_through
    this.send_next = inbox.send_next
  }

  get nextSeq(): number {
    return this.inbox.next_seq + this.appended.length
  }

  get changed(): boolean {
    const { inbox, acked_through, send_next } = this
    const counted = acked_through !== inbox.acked_through || send_next !== inbox.send_next
    return counted || this.appended.length > 0 || this.states !== undefined || this.pairs !== undefined
  }

  /** The one that the inbox will have. */
  get revision(): number {
    return this.inbox.revision + 1
  }

  get signalsRevision(): number {
    return this.appended.length > 0 || this.states !== undefined ? this.revision : this.inbox.signals_revision
  }

  append(entry: Entry): number {
    const seq = this.nextSeq
    const { sender, type, ice_session, expires_at, body } = entry
    const run = this.inbox.next_seq
    this.appended.push({ seq, run, sender, type, ice_session, expires_at, state: null, body, deliveries: 0 })
    if (sender !== null) this.share(sender, +1)
    return seq
  }

  /** Returns how many of them had not been acknowledged before. */
  ackThrough(seq: number): number {
    let acknowledged = 0
    while (this.acked_through < seq) {
      const entry = this.at(++this.acked_through) as Stored
      if (this.stateOf(entry) === 'acked') continue
      if (entry.sender !== null) this.share(entry.sender, -1)
      acknowledged++
    }
    this.settle()
    return acknowledged
  }

  ackEach(seqs: number[]): number {
    let acknowledged = 0
    for (const seq of seqs) {
      const entry = seq > this.acked_through ? this.at(seq) : undefined
      if (!entry || this.stateOf(entry) === 'acked') continue
      this.mark(seq, 'acked')
      if (entry.sender !== null) this.share(entry.sender, -1)
      acknowledged++
    }
    this.settle()
    return acknowledged
  }

  /** Takes back what is not acknowledged and is one of these; a gap is left in its place. */
  withdraw(reason: GapReason, isMeant: (entry: Stored) => boolean): Stored[] {
    const withdrawn: Stored[] = []
    for (let seq = this.acked_through + 1; seq < this.nextSeq; seq++) {
      const entry = this.at(seq) as Stored
      if (this.stateOf(entry) !== null || !isMeant(entry)) continue
      this.mark(seq, reason)
      withdrawn.push(entry)
    }
    return withdrawn
  }

  /** How many of a sender's are not acknowledged. */
  shareOf(sender: string): number {
    return this.shares?.get(sender) ?? this.inbox.shares.get(sender) ?? 0
  }

  /** How many of all senders' are not. */
  get unacked(): number {
    let sum = this.shared
    for (const share of this.inbox.shares.values()) sum += share
    return sum
  }

  pairWith(sender: string): Pair {
    return this.pairs?.get(sender) ?? this.inbox.pairs[sender] ?? noPair
  }

  changePair(sender: string, changes: Pair): void {
    this.pairs ??= new Map()
    this.pairs.set(sender, { ...this.pairWith(sender), ...changes })
  }

  forgetPair(sender: string): void {
    if (this.inbox.pairs[sender]) this.changePair(sender, forgotten)
  }

  /** Undefined when they are the same. */
  changedPairs(): Pairs | undefined {
    if (!this.pairs) return undefined
    const all = { ...this.inbox.pairs, ...Object.fromEntries(this.pairs) }
    return Object.fromEntries(Object.entries(all).filter(([, pair]) => Object.values(pair).some(Boolean)))
  }

  pairsText(): string | null {
    const changed = this.changedPairs()
    return changed ? JSON.stringify(changed) : this.inbox.pairs_text
  }

  stateOf(entry: Stored): Stored['state'] {
    return this.states?.get(entry.seq) ?? entry.state
  }

  at(seq: number): Stored | undefined {
    return this.inbox.unacked[seq - this.inbox.acked_through - 1] ?? this.appended[seq - this.inbox.next_seq]
  }

  /** It is committed, and the inbox is what it says. */
  apply(): void {
    const { inbox, states, acked_through, send_next, appended } = this
    const next_seq = this.nextSeq
    const pairs = this.changedPairs()
    const pairs_text = this.pairsText()
    inbox.signals_revision = this.signalsRevision
    for (const [seq, state] of states ?? []) {
      const entry = this.at(seq) as Stored
      entry.state = state
      entry.body = '' // nobody reads it any more
    }
    for (const entry of appended) inbox.unacked.push(entry)
    inbox.unacked.splice(0, acked_through - inbox.acked_through)
    inbox.acked_through = acked_through
    inbox.next_seq = next_seq
    inbox.send_next = send_next
    if (pairs) inbox.pairs = pairs
    inbox.pairs_text = pairs_text
    for (const [sender, share] of this.shares ?? []) {
      if (share > 0) inbox.shares.set(sender, share)
      else inbox.shares.delete(sender)
    }
    inbox.revision++
    inbox.as_of = performance.now()
  }

  /** The floor rises over what was acknowledged ahead of it. */
  private settle(): void {
    for (;;) {
      const next = this.at(this.acked_through + 1)
      if (!next || this.stateOf(next) !== 'acked') return
      this.acked_through++
    }
  }

  private mark(seq: number, state: NonNullable<Stored['state']>): void {
    this.states ??= new Map()
    this.states.set(seq, state)
  }

  private share(sender: string, change: number): void {
    this.shares ??= new Map()
    this.shares.set(sender, this.shareOf(sender) + change)
    this.shared += change
  }
}

const noPair: Pair = {}
const forgotten: Pair = {
  ice: undefined,
  past: undefined,
  offer_until: undefined,
  group: undefined,
  backlogged: undefined,
}
