import { isConflict, isUnreachable } from '../../db/errors.ts'
import { type Batch, CommitUnknown, inBatch } from '../../db/prepared.ts'
import type { Db } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Problem, problem } from '../../kernel/problem.ts'
import { Draft } from './draft.ts'
import * as inboxes from './inbox-store.ts'
import type { Mirror } from './mirror.ts'
import * as store from './store.ts'

/**
 * Whatever changes an inbox for a client goes through here, and is answered after the commit. What arrives while a
 * commit is running goes into the next one: so a busy server commits rarely, an idle one at once, and nobody lingers.
 *
 * One batch is one transaction: lock the rows of all its inboxes in the order of their ids, bring those up to date that
 * others have changed, decide the requests one after the other on drafts, write what they come to. If the database
 * refuses the whole, each request is tried alone, so that only the guilty one fails.
 */
export type Writer = ReturnType<typeof createWriter>

/** One request. */
export interface Work<Result = unknown> {
  /** Whose inboxes it is about. Those of the whole batch are on the table; whether one is its business is for it to say. */
  ids: string[]
  /** Inboxes of another session do not exist for it. */
  session_id: string
  /** What it costs to wait for it in memory. */
  bytes: number
  /** Asks for what is in no inbox, once the locks are held. */
  look?(batch: Batch, desk: Desk): Promise<void>
  /** Says what is to be; a problem that it throws is its own, and changes nothing. */
  decide(desk: Desk): Result
}

/** What is on the table while one batch is decided. */
export interface Desk {
  /** The moment at which all of it happens. */
  now: string
  /** So many milliseconds later. */
  in(ms: number): string
  draft(id: string): Draft | undefined
  /** The outcomes of numbered sends, to be written with the rest. */
  sends: store.SendRow[]
  forgetSends: [connection_id: string, number: number][]
}

/** Thrown by `decide` when it turns out that other inboxes are concerned as well: they have to be locked first. */
export class NeedsMore extends Error {
  readonly ids: string[]
  constructor(ids: string[]) {
    super('Others have to be locked, too')
    this.ids = ids
  }
}

export const TooBusy = problem('unavailable', 'unavailable', 'More is being sent than can be stored; try again')

const mostWaiting = 10_000
const mostWaitingBytes = 64 * 1024 * 1024
/** Of one batch: so that one is over soon, and Postgres and MariaDB take its statements. */
const mostTogether = 256
const mostBytesTogether = 4 * 1024 * 1024

interface Waiting {
  work: Work
  resolve(result: unknown): void
  reject(error: unknown): void
}

type Settled = { result: unknown } | { problem: Problem }

interface Deps {
  db: Db
  clock: Clock
  mirror: Mirror
  /** Whether other processes may write to the same inboxes. */
  shared: boolean
  /** For who has to be told of what is committed. */
  published(ids: string[]): void
}

export function createWriter({ db, clock, mirror, shared, published }: Deps) {
  const queue: Waiting[] = []
  let bytes = 0
  let running = false
  let writing: Promise<void> | undefined

  async function submit<Result>(work: Work<Result>): Promise<Result> {
    if (queue.length >= mostWaiting || bytes + work.bytes > mostWaitingBytes) throw TooBusy({ retry_after_s: 1 })
    bytes += work.bytes
    const { promise, resolve, reject } = withResolvers<Result>()
    queue.push({ work, resolve: result => resolve(result as Result), reject })
    if (!running) run()
    return promise
  }

  async function run(): Promise<void> {
    running = true
    await new Promise(setImmediate) // what arrives in the same moment goes together
    while (queue.length > 0) {
      writing = write(take())
      await writing
    }
    running = false
  }

  function take(): Waiting[] {
    let count = 0
    for (let size = 0; count < Math.min(queue.length, mostTogether); count++) {
      size += queue[count]?.work.bytes ?? 0
      if (count > 0 && size > mostBytesTogether) break
    }
    const taken = queue.splice(0, count)
    for (const { work } of taken) bytes -= work.bytes
    return taken
  }

  async function write(all: Waiting[]): Promise<void> {
    try {
      settle(all, await attempt(all.map(({ work }) => work)))
    } catch (error) {
      // A database that is away is no request's fault, and asking it for each of them would take hours.
      if (error instanceof CommitUnknown || isUnreachable(error) || all.length === 1) return fail(all, error)
      for (const one of all) await write([one])
    }
  }

  function settle(all: Waiting[], outcomes: Settled[]): void {
    all.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i]
      if (outcome && 'result' in outcome) resolve(outcome.result)
      else reject(outcome?.problem)
    })
  }

  function fail(all: Waiting[], error: unknown): void {
    // Whether it was committed or not: what is in the table is what counts.
    for (const { work } of all) mirror.doubt(work.ids, 'commit')
    for (const { reject } of all) reject(error instanceof CommitUnknown ? TooBusy() : error)
  }

  /** A conflict is no request's fault: the batch is tried once more. So it is when it turns out to need more locks. */
  async function attempt(works: Work[]): Promise<Settled[]> {
    const more = new Set<string>()
    for (let tries = 1; ; tries++) {
      try {
        return await commit(works, [...more])
      } catch (error) {
        if (error instanceof NeedsMore && tries < 4) for (const id of error.ids) more.add(id)
        else if (!isConflict(error) || tries > 1) throw error
      }
    }
  }

  async function commit(works: Work[], more: string[]): Promise<Settled[]> {
    const drafts = new Map<string, Draft>()
    const { outcomes, changed } = await inBatch(db, async batch => {
      await open(batch, works, more, drafts)
      const desk: Desk = {
        ...momentOf(clock.millis()),
        draft: id => drafts.get(id),
        sends: [],
        forgetSends: [],
      }
      const outcomes: Settled[] = []
      for (const work of works) {
        if (work.look) await work.look(batch, desk)
        outcomes.push(decide(work, desk))
      }
      const changed = [...drafts.values()].filter(draft => draft.changed)
      if (changed.length > 0) await inboxes.save(batch, changed)
      if (desk.sends.length > 0) await store.insertSends(batch, desk.sends)
      for (const [id, through] of desk.forgetSends) await store.deleteSends(batch, id, through)
      return { outcomes, changed }
    })
    mirror.publish(changed)
    published(changed.map(({ inbox }) => inbox.id))
    return outcomes
  }

  /** Locks what the requests are about, and makes sure that what this node knows of it is how it stands. */
  async function open(batch: Batch, works: Work[], more: string[], drafts: Map<string, Draft>): Promise<void> {
    const sessions = new Map<string, string>()
    for (const { ids, session_id } of works) for (const id of ids) sessions.set(id, session_id)
    const ids = [...new Set([...sessions.keys(), ...more])]
    const rows = new Map((await inboxes.lock(batch, ids, shared)).map(row => [row.id, row]))
    const outdated: string[] = []
    for (const id of ids) {
      const row = rows.get(id)
      const inbox = row && mirror.upToDate(row)
      // Of one that is unknown and one that is of another session, the same is asked: nobody can tell them apart.
      if (inbox && inbox.session_id === (sessions.get(id) ?? inbox.session_id)) drafts.set(id, new Draft(inbox))
      else outdated.push(id)
    }
    if (outdated.length === 0) return
    for (const inbox of await mirror.fetch(outdated, asks => inboxes.loadIn(batch, asks))) {
      drafts.set(inbox.id, new Draft(inbox))
    }
  }

  return {
    submit,
    /** Once what is being written now is written. */
    settled: async (): Promise<void> => writing,
    get waiting() {
      return queue.length
    },
  }
}

/** Of which there are few, and many ask: so each is written once. */
function momentOf(millis: number): Pick<Desk, 'now' | 'in'> {
  const texts = new Map<number, string>()
  return {
    now: new Date(millis).toISOString(),
    in(ms) {
      const text = texts.get(ms) ?? new Date(millis + ms).toISOString()
      texts.set(ms, text)
      return text
    },
  }
}

function decide(work: Work, desk: Desk): Settled {
  try {
    return { result: work.decide(desk) }
  } catch (error) {
    if (error instanceof Problem) return { problem: error }
    throw error
  }
}

function withResolvers<Value>() {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
