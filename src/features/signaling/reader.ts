import type { Clock } from '../../kernel/clock.ts'
import type { Wakeups } from '../../wakeups/local.ts'
import { ConnectionClosed } from '../presence/schema.ts'
import { type Inbox, type Page, pageOf } from './inbox.ts'
import type { Mirror, Waking } from './mirror.ts'
import { AckAhead, PollSuperseded } from './schema.ts'

interface Deps {
  clock: Clock
  mirror: Mirror
  wakeups: Wakeups
  /** Whether other processes may write to the same inboxes. */
  shared: boolean
  /** Counts what woke a reader. */
  woken(by: Waking | 'timeout'): void
  /** Whoever sat there was alive until now. */
  heard(connection_id: string): void
}

export type Readers = ReturnType<typeof createReaders>
export type Seat = ReturnType<Readers['take']>

/** Why nobody sits there any more. */
type End = 'superseded' | 'gone' | 'stopping'

/** What is known of who waits: whether something may have happened since they last looked, and how they are told. */
interface Waiting {
  /** When they sat down, by the clock that all nodes share. */
  began: number
  rung: Waking | undefined
  end: End | undefined
  rise: (() => void) | undefined
}

export interface Read {
  inbox: Inbox
  page: Page
  /** There is no use in reading on: the caller has gone, or the node is about to stop. */
  over: Exclude<End, 'superseded'> | undefined
}

/** For so long, a reader who has just gone is taken for one who will be back. */
const staysFor_ms = 2_000

/**
 * How every channel reads: take the seat before an inbox, look, and only then wait; when woken, look again. There is one
 * seat, and who comes later has it. Whoever sits costs neither a query nor a connection to the database.
 */
export function createReaders({ clock, mirror, wakeups, shared, woken, heard }: Deps) {
  const seats = new Map<string, Waiting>()
  let stopping = false

  mirror.onNews((id, by) => {
    const seat = seats.get(id)
    if (!seat) return
    seat.rung ??= by
    seat.rise?.()
  })
  // Of two nodes, the one at which somebody sat down later has them. Its word may come after they have gone on to this one,
  // or the word of this one may have been lost: then it is said again.
  wakeups.follow('reader', (id, began) => {
    if (id === undefined) return void seats.forEach(tellOthers)
    const seat = seats.get(id)
    if (seat && !seat.end && seat.began >= Number(began)) return tellOthers(seat, id)
    nobodyReads(id)
    end(seat, 'superseded')
  })

  const isRegular = (id: string) =>
    performance.now() - (mirror.peek(id)?.read_at ?? Number.NEGATIVE_INFINITY) < staysFor_ms

  function tellOthers(seat: Waiting, id: string): void {
    if (!seat.end) wakeups.tell(`reader ${id} ${seat.began}`)
  }

  function nobodyReads(id: string): void {
    const inbox = mirror.peek(id)
    if (inbox) inbox.read_at = Number.NEGATIVE_INFINITY
  }

  function end(seat: Waiting | undefined, how: End): void {
    if (!seat) return
    seat.end ??= how
    seat.rise?.()
  }

  function take(id: string) {
    end(seats.get(id), 'superseded')
    const seat: Waiting = { began: Date.now() + Math.random(), rung: undefined, end: undefined, rise: undefined }
    if (shared && !isRegular(id)) {
      mirror.doubt([id], 'hint') // it may have been read, and written, elsewhere
      tellOthers(seat, id)
    }
    seats.set(id, seat)

    return {
      /** What comes after a seq: at once if there is something, otherwise as soon as there is, or when the time is over. */
      async next({ after, limit, wait_ms }: { after: number; limit: number; wait_ms: number }): Promise<Read> {
        const until = wait_ms === 0 ? 0 : performance.now() + wait_ms
        for (;;) {
          seat.rung = undefined
          const { inbox, page } = await look(id, after, limit)
          if (seat.end === 'superseded') throw PollSuperseded()
          const over = seat.end ?? (stopping ? 'stopping' : undefined)
          const left = until === 0 ? 0 : until - performance.now()
          if (page.signals.length > 0 || page.gap || left <= 0 || over) {
            for (const entry of page.signals) entry.deliveries++
            inbox.served = page.cursor
            return { inbox, page, over }
          }
          mirror.hold(inbox)
          if (seat.rung !== undefined) continue
          const risen = await wait(seat, left)
          if (!seat.end) woken(risen ? (seat.rung ?? 'commit') : 'timeout')
        }
      },

      end: (how: End): void => end(seat, how),

      leave(): void {
        if (seats.get(id) !== seat) return
        seats.delete(id)
        mirror.letGo(id)
        heard(id)
        const inbox = seat.end === 'superseded' ? undefined : mirror.peek(id)
        if (inbox) inbox.read_at = performance.now()
      },
    }
  }

  async function look(id: string, after: number, limit: number): Promise<{ inbox: Inbox; page: Page }> {
    let inbox = await mirror.find(id)
    // Whoever has read more than we know of has read it elsewhere; and who goes back may have acknowledged it there.
    const elsewhere = inbox && (after >= inbox.next_seq || (shared && after < inbox.served))
    if (elsewhere) inbox = await mirror.load(id)
    if (!inbox || inbox.closed) throw ConnectionClosed({ reason: inbox?.closed ?? 'meeting_ended' })
    if (after >= inbox.next_seq) throw AckAhead()
    return { inbox, page: pageOf(inbox, after, limit, clock.now()) }
  }

  return {
    take,

    /** Whoever sits there does not any more, at whatever node. */
    evict(id: string): void {
      end(seats.get(id), 'superseded')
      nobodyReads(id)
      if (shared) wakeups.tell(`reader ${id} ${Date.now()}`)
    },

    /** Whether somebody waits here for news of it, or was just here: then no other node needs to be told. */
    isReadHere(id: string): boolean {
      const seat = seats.get(id)
      return seat ? !seat.end : isRegular(id)
    },

    /** Nobody waits any more, and nobody begins to. */
    stop(): void {
      stopping = true
      for (const seat of seats.values()) end(seat, 'stopping')
    },
  }
}

/** False when the time is over. */
function wait(seat: Waiting, ms: number): Promise<boolean> {
  return new Promise(resolve => {
    const rise = (risen: boolean) => {
      clearTimeout(timer)
      seat.rise = undefined
      resolve(risen)
    }
    const timer = setTimeout(rise, ms, false)
    seat.rise = () => rise(true)
  })
}
