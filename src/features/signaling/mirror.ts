import { LRUCache } from 'lru-cache'
import type { Db } from '../../db/transaction.ts'
import type { Draft } from './draft.ts'
import { type Inbox, reasonOf } from './inbox.ts'
import * as store from './inbox-store.ts'

/**
 * The inboxes that this node has to do with, in memory, so that reading costs no query. The table is the truth: an
 * inbox here is exact as of its revision, and whoever has reason to doubt it says so, upon which it is read again. What
 * is not held by a reader may be forgotten at any time.
 */
export type Mirror = ReturnType<typeof createMirror>

interface Asker {
  resolve(inbox: Inbox | undefined): void
  reject(error: unknown): void
}

/** Why a reader was woken; a metric counts them. */
export type Waking = 'commit' | 'hint' | 'sweep'

const mostInboxes = 20_000
const mostBytes = 128 * 1024 * 1024
const together = 100

/** Where others write, too: so long one is believed that is not held, for hints of it may be lost and nobody sweeps it. */
const trusted_ms = 1000

interface Deps {
  db: Db
  /** Whether other processes may write to the same inboxes. */
  shared: boolean
}

export function createMirror({ db, shared }: Deps) {
  /** Of those a reader waits for, which are not forgotten. */
  const held = new Map<string, Inbox>()
  const doubted = new Set<string>()
  /** Asked of the table just now: what comes of it may be from before a doubt. */
  const loading = new Set<string>()
  const known = new LRUCache<string, Inbox>({
    max: mostInboxes,
    maxSize: mostBytes,
    dispose: (_, id) => {
      if (!held.has(id) && !known.has(id)) doubted.delete(id)
    },
    sizeCalculation: inbox => 1000 + inbox.unacked.reduce((bytes, { body }) => bytes + body.length, 0),
  })
  const asked = new Map<string, Asker[]>()
  let wake = (_id: string, _by: Waking): void => {}

  const peek = (id: string): Inbox | undefined => held.get(id) ?? known.get(id)

  /** A copy that is newer than ours takes its place. */
  function adopt(inbox: Inbox): Inbox {
    const ours = peek(inbox.id)
    if (ours && ours.revision >= inbox.revision) return ours
    known.set(inbox.id, inbox)
    if (held.has(inbox.id)) {
      held.set(inbox.id, inbox)
      wake(inbox.id, 'hint') // whoever learnt of it, those who wait are to know
    }
    return inbox
  }

  /** Undefined when ours has been forgotten, so that what was written since is not enough. */
  function learn(loaded: store.Loaded): Inbox | undefined {
    const { row, since, signals } = loaded
    const ours = peek(row.id)
    if (ours && ours.revision >= row.revision) {
      ours.as_of = performance.now()
      return ours
    }
    if (since === undefined) return adopt(store.inboxOf(loaded, ours))
    const inbox = ours && ours.revision >= since ? store.renewed(ours, row, signals) : undefined
    return inbox && adopt(inbox)
  }

  /** Of those that are there, what is not known here. */
  async function fetch(ids: string[], load: (asks: store.Ask[]) => Promise<store.Loaded[]>): Promise<Inbox[]> {
    const found: Inbox[] = []
    let asks: store.Ask[] = ids.map(id => ({ id, since: peek(id)?.revision }))
    while (asks.length > 0) {
      const whole: store.Ask[] = []
      for (const loaded of await load(asks)) {
        const inbox = learn(loaded)
        if (inbox) found.push(inbox)
        else whole.push({ id: loaded.row.id })
      }
      asks = whole
    }
    return found
  }

  /** It is not in the table any more. */
  function forget(id: string): void {
    known.delete(id)
    if (held.delete(id)) wake(id, 'hint')
  }

  /** Reads it from the table, together with all others that are asked for in the same moment. */
  function load(id: string): Promise<Inbox | undefined> {
    return new Promise((resolve, reject) => {
      if (asked.size === 0) setImmediate(loadAsked)
      asked.set(id, [...(asked.get(id) ?? []), { resolve, reject }])
    })
  }

  async function loadAsked(): Promise<void> {
    const waiting = new Map(asked)
    asked.clear()
    const ids = [...waiting.keys()]
    for (let i = 0; i < ids.length; i += together) {
      const some = ids.slice(i, i + together)
      const askers = some.map(id => ({ id, all: waiting.get(id) ?? [] }))
      for (const id of some) {
        doubted.delete(id) // whoever doubts it from now on may know of something later
        loading.add(id)
      }
      try {
        const all = await fetch(some, asks => store.load(db, asks))
        const found = new Map(all.map(inbox => [inbox.id, inbox]))
        for (const { id, all } of askers) {
          if (!found.has(id)) forget(id)
          for (const { resolve } of all) resolve(found.get(id))
        }
      } catch (error) {
        for (const id of some) if (peek(id)) doubted.add(id)
        for (const { all } of askers) for (const { reject } of all) reject(error)
      } finally {
        for (const id of some) loading.delete(id)
      }
    }
  }

  return {
    peek,
    load,
    fetch,

    /** As it stands in the table by its row, which is locked; undefined if more of it has to be read. */
    upToDate(row: store.Locked): Inbox | undefined {
      const ours = peek(row.id)
      if (!ours || ours.revision === row.revision) return ours
      const inbox = store.saysAll(row, ours) ? store.renewed(ours, row, []) : undefined
      return inbox && adopt(inbox)
    },

    /** As it is known here, if there is no reason to doubt it, or else as it stands in the table. */
    find(id: string): Inbox | undefined | Promise<Inbox | undefined> {
      const inbox = doubted.has(id) ? undefined : peek(id)
      return inbox && (!shared || held.has(id) || performance.now() - inbox.as_of < trusted_ms) ? inbox : load(id)
    },

    /** Somebody has changed these, or may have. Who waits for one of them looks again. */
    doubt(ids: string[], by: Waking): void {
      for (const id of ids) {
        if (!peek(id) && !loading.has(id)) continue
        doubted.add(id)
        wake(id, by) // also who is only about to wait
      }
    },

    doubtAll(by: Waking): void {
      this.doubt([...new Set([...known.keys(), ...held.keys()])], by)
    },

    /** These drafts are committed. One whose inbox is not ours any more is in the table, and read from there. */
    publish(drafts: Draft[]): void {
      for (const draft of drafts) {
        const { inbox, appended, states } = draft
        const news = appended.length > 0 || states !== undefined
        draft.apply()
        if (peek(inbox.id) !== inbox) adopt(inbox)
        else if (inbox.unacked.length > 20) known.set(inbox.id, inbox) // weighed again, for it has become heavy
        if (news && held.has(inbox.id)) wake(inbox.id, 'commit')
      }
    },

    /** False only for one that is known here as it stands in the table. */
    mayExpire(id: string, revision: number, now: string): boolean {
      const inbox = peek(id)
      return (
        inbox?.revision !== revision || inbox.unacked.some(entry => reasonOf(entry, now) === 'expired' && !entry.state)
      )
    },

    hold(inbox: Inbox): void {
      held.set(inbox.id, inbox)
    },

    letGo(id: string): void {
      const inbox = held.get(id)
      held.delete(id)
      if (!inbox) return
      inbox.as_of = performance.now() // until now it was swept
      // Weighed again if it has become heavy, or forgotten meanwhile.
      if (inbox.unacked.length > 20 || !known.has(id)) known.set(id, inbox)
    },

    isHeld: (id: string): boolean => held.has(id),
    heldIds: () => held.keys(),
    get heldCount() {
      return held.size
    },

    /** Who is told when an inbox that is held has changed. */
    onNews(tell: typeof wake): void {
      wake = tell
    },

    /**
     * The truth, for hints that were lost: those that are held here and have changed elsewhere. What this node itself is
     * just committing is not news to it.
     */
    async sweep(settled: () => Promise<void>): Promise<void> {
      if (held.size === 0) return
      const changed = await store.listChanged(db, [...held.values()])
      if (changed.length > 0) await settled()
      const unknown = changed.filter(({ id, revision }) => {
        const ours = held.get(id)
        return ours && !doubted.has(id) && (revision === null || ours.revision < revision)
      })
      this.doubt(
        unknown.map(({ id }) => id),
        'sweep',
      )
    },
  }
}
