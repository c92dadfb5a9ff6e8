import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Wakeups } from '../../wakeups/local.ts'
import type { Chat } from '../chat/service.ts'
import type { Meetings } from '../meetings/service.ts'
import type { Presence } from '../presence/service.ts'
import type { Transcripts } from '../transcripts/service.ts'
import { type Draft, type Engine, EngineFailure, type Material, transcriptText } from './engine.ts'
import { mockedDraft, mockedTranscript } from './mocked.ts'
import * as store from './store.ts'

export interface Deps {
  db: Db
  clock: Clock
  log: Log
  events: Events
  wakeups: Wakeups
  meetings: Meetings
  presence: Presence
  engine: Engine
  chat: Pick<Chat, 'listOfSession'>
  transcripts: Pick<Transcripts, 'listOfSession'>
}

/** More than an engine takes with all of its own attempts. */
const lease_s = 180
/** Less than its lease, or another would begin meanwhile. */
const patience_ms = 150_000
const pauses_s = [10, 60]
const mostAttempts = 3
const mostAtOnce = 2

export const topicOf = ({ meeting_id }: { meeting_id: string }): string => `notes ${meeting_id}`

/**
 * Writes what is pending. A row is leased before its engine begins and settled afterwards, each in a transaction of its
 * own; so a process that dies leaves a lease that runs out, and whoever comes too late finds that it is not theirs.
 */
export function createGenerating({
  db,
  clock,
  log,
  events,
  wakeups,
  meetings,
  presence,
  engine,
  chat,
  transcripts,
}: Deps) {
  const stopping = new AbortController()
  let running = 0

  const due: Job = {
    name: 'notes that are due',
    every_s: 5,
    /** An engine may take minutes, and other jobs wait for this one: so it only begins. */
    run: begin,
  }

  return {
    jobs: [due],

    /** What is due and has room here begins; nobody waits for it. */
    wake,

    /** What is being written is left to the next process. */
    stop: () => stopping.abort(),
  }

  function wake(): void {
    begin().catch(error => log.error({ err: error }, 'notes could not be begun; the sweeper tries it again'))
  }

  async function begin(): Promise<number> {
    let begun = 0
    if (stopping.signal.aborted) return begun
    for (const row of await store.listDue(db, clock.now(), mostAtOnce)) {
      if (running >= mostAtOnce) break
      running++
      const leased_until = clock.in(lease_s)
      const mine = await inTransaction(db, db => store.lease(db, row, clock.now(), leased_until)).catch(error => {
        running--
        throw error
      })
      if (!mine) {
        running--
        continue
      }
      begun++
      void write({ ...row, leased_until })
    }
    return begun
  }

  async function write(row: store.NotesHead): Promise<void> {
    const { meeting_id, version } = row
    try {
      // Those who tried before have died of it.
      const worn = row.attempts >= mostAttempts
      await settle(row, worn ? { reason: 'internal', for_good: true } : await draft(row))
    } catch (error) {
      // The next process finds it as the lease leaves it.
      if (stopping.signal.aborted) return
      log.error({ meeting_id, version, err: error }, 'notes were written, and could not be kept')
    } finally {
      running--
      if (!stopping.signal.aborted) {
        wakeups.notify(topicOf(row))
        wake()
      }
    }
  }

  /** The notes, or why there are none. */
  async function draft(row: store.NotesHead): Promise<Written | Failed> {
    const { meeting_id, version } = row
    const tooLong = AbortSignal.timeout(patience_ms)
    try {
      const material = await gather(row)
      if (material.segments.length === 0 && material.messages.length === 0) {
        return { engine: engine.name, mocked: true, contents: mockedDraft, transcript_text: mockedTranscript }
      }
      const contents = await engine.write(material, AbortSignal.any([stopping.signal, tooLong]))
      return { engine: engine.name, mocked: false, contents, transcript_text: transcriptText(material) }
    } catch (error) {
      if (stopping.signal.aborted) return { released: true }
      if (tooLong.aborted) return { reason: 'engine_timeout', for_good: true }
      const known = error instanceof EngineFailure
      log.error({ meeting_id, version, ...(known ? { reason: error.reason } : { err: error }) }, 'notes not written')
      return known ? { reason: error.reason, for_good: error.for_good } : { reason: 'internal', for_good: false }
    }
  }

  async function gather({ tenant_id, meeting_id, session_id }: store.NotesHead): Promise<Material> {
    const meeting = await meetings.findFor(db, tenant_id, meeting_id)
    const session = await presence.past.findSession(db, meeting_id, session_id)
    if (!meeting || !session) throw new Error('The meeting of these notes is gone')
    const attendances = await presence.past.listAttendances(db, session_id)
    const people = new Map(attendances.map(({ participant_id, display_name }) => [participant_id, display_name]))
    const { id, started_at, ended_at } = session
    return {
      title: meeting.title,
      session: { id, started_at, ended_at },
      people: [...people].map(([participant_id, display_name]) => ({ participant_id, display_name })),
      segments: await transcripts.listOfSession(db, session_id),
      messages: await chat.listOfSession(db, session_id),
    }
  }

  async function settle(row: store.NotesHead, outcome: Written | Failed): Promise<void> {
    const { tenant_id, meeting_id, session_id, version } = row
    const attempts = row.attempts + 1
    const actor = { kind: 'system', tenant_id } as const
    await inTransaction(db, async db => {
      if (!(await meetings.lockFor(db, tenant_id, meeting_id))) return
      if ('released' in outcome) {
        await store.settle(db, row, { next_attempt_at: clock.now(), attempts: row.attempts })
      } else if ('contents' in outcome) {
        if (!(await store.settle(db, row, { ...outcome, status: 'ready', pending_session_id: null }))) return
        await events.record(db, actor, { type: 'notes.ready', meeting_id, session_id, version })
      } else if (outcome.for_good || attempts >= mostAttempts) {
        const { reason } = outcome
        const failed = { status: 'failed', pending_session_id: null, attempts, reason } as const
        if (!(await store.settle(db, row, failed))) return
        await events.record(db, actor, { type: 'notes.failed', meeting_id, session_id, version, reason })
      } else {
        await store.settle(db, row, { attempts, next_attempt_at: clock.in(pauses_s[row.attempts] ?? 60) })
      }
    })
  }
}

interface Written {
  engine: string
  mocked: boolean
  contents: Draft
  transcript_text: string
}

type Failed = { reason: string; for_good: boolean } | { released: true }
