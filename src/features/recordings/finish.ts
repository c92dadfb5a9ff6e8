import { setTimeout as pause } from 'node:timers/promises'
import { afterCommit, type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Meetings } from '../meetings/service.ts'
import * as meetingStore from '../meetings/store.ts'
import type { Presence } from '../presence/service.ts'
import type { Signaling } from '../signaling/service.ts'
import type { Ffmpeg } from './ffmpeg.ts'
import { type Draft, type Files, partName, RECORDING, SEEKABLE } from './files.ts'
import { textOfMock } from './mock.ts'
import { ChunkMissing, ChunksTooMany, mostChunks, type Recording, StorageFull } from './schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  log: Log
  files: Files
  ffmpeg: Ffmpeg
  meetings: Meetings
  presence: Presence
  signaling: Signaling
}

/** So long after its session, the rest of what is uploaded may still come. */
const grace_s = 600
/** Whoever makes the file says so again and again; a process that does not has died. */
const lease_s = 60
const mostAttempts = 3
/** Each reads and writes as fast as the disk goes. */
const mostAtOnce = 2
/** A caller is not kept waiting for longer. */
const patience_ms = 10_000

/** `later` is for the job: it was not to be done now. */
type Outcome = 'settled' | 'no room' | 'later'

export type Finish = ReturnType<typeof createFinish>

/**
 * How a recording ends. It is `processing` from the moment when it is stopped, with a time by which it is settled; the
 * file is made outside of any transaction, and it is `ready` only once that is flushed. A process that dies meanwhile
 * leaves what it takes to do it again.
 */
export function createFinish({ db, clock, events, log, files, ffmpeg, meetings, presence, signaling }: Deps) {
  const making = new Map<string, Promise<Outcome>>()
  const inTurn = createTurns(mostAtOnce)

  /** Nothing comes any more, and the file is made after the commit. `db` is a transaction, with the meeting locked. */
  async function close(db: Db, actor: Actor, recording: store.RecordingRow): Promise<void> {
    const { id, meeting_id } = recording
    const ended_at = recording.ended_at ?? clock.now()
    const closed = { status: 'processing', active_session_id: null, ended_at, due_at: clock.in(lease_s) } as const
    if (!(await store.change(db, id, ['active'], closed))) return
    await events.record(db, actor, { type: 'recording.stopped', meeting_id, recording_id: id })
    if (recording.active_session_id !== null) await tell(db, recording, 'stopped')
    afterCommit(db, () => void make(id))
  }

  /** Once at a time on this node. */
  function make(id: string): Promise<Outcome> {
    const known = making.get(id)
    if (known) return known
    const made = inTurn(() => work(id))
      .catch((error): Outcome => {
        log.error({ recording_id: id, err: error }, 'a recording could not be made; it is tried again')
        return 'later'
      })
      .finally(() => making.delete(id))
    making.set(id, made)
    return made
  }

  async function work(id: string): Promise<Outcome> {
    const recording = await store.findById(db, id)
    if (recording?.status !== 'processing') return 'settled'
    if (recording.attempts >= mostAttempts) return fail(recording, 'broken')
    const alive = { due_at: clock.in(lease_s), attempts: recording.attempts + 1 }
    await inTransaction(db, db => store.change(db, id, ['processing'], alive))
    const renewal = setInterval(renew, (lease_s * 1000) / 3, id)
    try {
      const chunks = await store.listChunks(db, id)
      const draft = await draftOf(recording, chunks)
      if (!draft) return await fail(recording, 'nothing_came')
      if (recording.source === 'upload' && draft.bytes !== chunks.reduce((sum, { bytes }) => sum + bytes, 0)) {
        await draft.drop()
        return await fail(recording, 'chunks_lost')
      }
      await draft.keepAs(RECORDING)
      const { bytes, sha256 } = draft
      if (await settle(recording, { bytes, sha256 })) await addCopy({ ...recording, bytes })
      return 'settled'
    } catch (error) {
      if (error instanceof Problem && error.code === StorageFull.code) return await postpone(recording)
      if (isMissing(error)) return await fail(recording, 'chunks_lost')
      throw error
    } finally {
      clearInterval(renewal)
    }
  }

  /** Somebody may make room meanwhile, and what has come is worth waiting for. */
  async function postpone(recording: store.RecordingRow): Promise<Outcome> {
    if (recording.attempts + 1 >= mostAttempts) await fail(recording, 'storage_full')
    const later = { due_at: clock.in(grace_s) }
    await inTransaction(db, db => store.change(db, recording.id, ['processing'], later))
    return 'no room'
  }

  function renew(id: string): void {
    inTransaction(db, db => store.change(db, id, ['processing'], { due_at: clock.in(lease_s) })).catch(error =>
      log.warn({ recording_id: id, err: error }, 'a lease was not renewed'),
    )
  }

  async function draftOf(recording: store.RecordingRow, chunks: store.ChunkRow[]): Promise<Draft | undefined> {
    const { id, tenant_id, meeting_id, session_id } = recording
    if (recording.source === 'mock') {
      const meeting = await meetings.findFor(db, tenant_id, meeting_id)
      if (!meeting) return undefined
      const text = textOfMock(recording, meeting, await presence.past.listAttendances(db, session_id))
      return files.write(id, oneOf(Buffer.from(text)))
    }
    if (chunks.length === 0) return undefined
    const parts = chunks.map(({ number, sha256 }) => partName(number, sha256))
    return files.join(id, parts)
  }

  /** The recording is ready by now, and whatever becomes of its copy takes nothing from it. */
  async function addCopy({ id, source, content_type, bytes }: store.RecordingRow): Promise<void> {
    if (source === 'mock') return
    const copy = await files.draftAt(id, SEEKABLE)
    try {
      const most = Math.ceil(bytes * 1.1) + 1024 ** 2
      if (await ffmpeg.makeSeekable(files.pathOf(id, RECORDING), copy.path, { content_type, most })) {
        const seekable_bytes = await copy.keep()
        const duration_ms = await ffmpeg.durationOf(files.pathOf(id, SEEKABLE))
        const added = await inTransaction(db, db => store.change(db, id, ['ready'], { seekable_bytes, duration_ms }))
        if (!added) await files.removeAll(id)
        return
      }
    } catch (error) {
      log.warn({ recording_id: id, err: error }, 'the seekable copy of a recording could not be kept')
    }
    await copy.drop()
  }

  /** False when it is there no more, or somebody else has settled it. */
  async function settle(recording: store.RecordingRow, made: Partial<store.RecordingRow>): Promise<boolean> {
    const { id, tenant_id, meeting_id } = recording
    const ready = await inTransaction(db, async db => {
      const changes = { ...made, status: 'ready', ready_at: clock.now(), due_at: null } as const
      if (!(await store.change(db, id, ['processing'], changes))) return false
      await store.deleteChunks(db, id)
      await events.record(db, system(tenant_id), { type: 'recording.ready', meeting_id, recording_id: id })
      return true
    })
    // It may have been deleted meanwhile, and its folder with it, but for what has been written since.
    if (ready) await files.keepOnly(id, [RECORDING, SEEKABLE])
    else if (!(await store.findById(db, id))) await files.removeAll(id)
    return ready
  }

  async function fail(
    { id, tenant_id, meeting_id }: store.RecordingRow,
    failure: NonNullable<Recording['failure']>,
  ): Promise<Outcome> {
    const failed = await inTransaction(db, async db => {
      const changes = { status: 'failed', failure, due_at: null, bytes: 0 } as const
      if (!(await store.change(db, id, ['processing'], changes))) return false
      await store.deleteChunks(db, id)
      const event = { type: 'recording.failed', meeting_id, recording_id: id, reason: failure } as const
      await events.record(db, system(tenant_id), event)
      return true
    })
    if (failed) await files.removeAll(id)
    return 'settled'
  }

  function tell(db: Db, { id, tenant_id, meeting_id, source }: store.RecordingRow, state: 'started' | 'stopped') {
    return signaling.tellAll(db, { tenant_id, meeting_id }, 'recording', { recording_id: id, state, source })
  }

  return {
    tell,

    /** By a host; whoever says it again learns how it stands. */
    async stop(caller: Caller, recording: store.RecordingRow, chunks: number | undefined): Promise<void> {
      await inTransaction(db, async db => {
        await meetingStore.lock(db, recording.tenant_id, recording.meeting_id)
        const now = await store.lock(db, recording.id)
        if (now?.status !== 'active') return
        if (now.source === 'upload') requireAll(await store.listChunks(db, now.id), chunks)
        await close(db, caller, now)
      })
      const until = performance.now() + patience_ms
      const patience = new Promise<Outcome>(resolve => setTimeout(resolve, patience_ms, 'later').unref())
      while (performance.now() < until) {
        const outcome = await Promise.race([making.get(recording.id), patience])
        if (outcome === 'no room') throw StorageFull()
        // Somebody else may have stopped it a moment ago, here or on another node, and makes it.
        if (outcome || (await store.findById(db, recording.id))?.status !== 'processing') return
        await pause(50)
      }
    },

    /** Its session is over: what is uploaded has a while to arrive. */
    async endOfSession(db: Db, actor: Actor, session_id: string): Promise<void> {
      const active = await store.findActive(db, session_id)
      if (!active) return
      if (active.source === 'mock') return close(db, actor, active)
      const over = { active_session_id: null, ended_at: clock.now(), due_at: clock.in(grace_s) }
      await store.change(db, active.id, ['active'], over)
    },

    /** What nobody has settled by its time, for they forgot, or died. Files are made beside the other jobs. */
    async settleDue(): Promise<number> {
      const due = await store.listDue(db, clock.now(), 20)
      for (const { id, tenant_id, meeting_id, status } of due) {
        if (status === 'processing') void make(id)
        if (status !== 'active') continue
        await inTransaction(db, async db => {
          await meetingStore.lock(db, tenant_id, meeting_id)
          const recording = await store.lock(db, id)
          if (recording?.status !== 'active' || recording.due_at === null || recording.due_at > clock.now()) return
          await dropAfterGap(db, recording)
          await close(db, system(tenant_id), recording)
        })
      }
      return 0 // what is being made is due until it is: it does not call for another look at once
    },

    /** Until nothing is being made on this node. */
    async settled(): Promise<void> {
      while (making.size > 0) await Promise.all(making.values())
    },
  }

  /** A recording with a hole cannot be played beyond it: what came after one is of no use. */
  async function dropAfterGap(db: Db, { id }: store.RecordingRow): Promise<void> {
    const chunks = await store.listChunks(db, id)
    const whole = chunks.findIndex(({ number }, i) => number !== i)
    if (whole >= 0) await store.deleteChunksFrom(db, id, whole)
  }
}

function requireAll(chunks: store.ChunkRow[], count: number | undefined): void {
  const there = new Set(chunks.map(({ number }) => number))
  const expected = count ?? Math.max(1, (chunks.at(-1)?.number ?? 0) + 1)
  for (let number = 0; number < Math.min(expected, mostChunks); number++) {
    if (!there.has(number)) throw ChunkMissing({ expected: number, detail: `Chunk ${number} has not come` })
  }
  if (chunks.length > expected) throw ChunksTooMany({ expected, detail: `${chunks.length} have come` })
}

/** So many at a time; the others wait for theirs. */
function createTurns(most: number) {
  const waiting: (() => void)[] = []
  let taken = 0

  return async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (taken < most) taken++
    else await new Promise<void>(begin => waiting.push(begin))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else taken--
    }
  }
}

async function* oneOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const system = (tenant_id: string): Actor => ({ kind: 'system', tenant_id })
