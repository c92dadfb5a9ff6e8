import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import { Invalid, NotFound, Stale } from '../../kernel/problem.ts'
import { requireHost } from '../meetings/standing.ts'
import { NoSession, NotThere } from '../presence/schema.ts'
import type { Draft } from './engine.ts'
import { createGenerating, type Deps as Room, topicOf } from './generating.ts'
import {
  type EditNotes,
  type KeyPoint,
  type NotesAwaited,
  NotesNotReady,
  type NotesVersions,
  type ReadNotes,
  TooManyVersions,
  type WriteNotes,
  type Notes as Written,
} from './schema.ts'
import * as store from './store.ts'

export type Notes = ReturnType<typeof createNotes>

const mostVersions = 200

/** What is written of a session afterwards: by an engine, and then by people. Versions are added, and never changed. */
export function createNotes(deps: Room) {
  const { db, clock, events, wakeups, presence, engine } = deps
  const generating = createGenerating(deps)

  return {
    jobs: generating.jobs,
    stop: generating.stop,

    /** One at most is being written for a session: whoever asks meanwhile is given the same. */
    async request(
      me: Caller,
      meeting_id: string,
      { session_id, wait }: WriteNotes,
      gone: AbortSignal,
    ): Promise<Written | NotesAwaited> {
      const version = await inTransaction(db, async db => {
        const { meeting } = await requireHost(db, me, meeting_id, 'lock')
        const { session } = await presence.past.requireWitness(db, me, meeting.id, session_id)
        const pending = await store.findPending(db, session.id)
        if (pending) return pending.version
        const row = await draftRow(db, me, meeting_id, session.id)
        await store.insert(db, { ...row, status: 'pending', pending_session_id: session.id })
        await events.record(db, me, {
          type: 'notes.requested',
          meeting_id,
          session_id: session.id,
          version: row.version,
        })
        return row.version
      })
      using bell = wakeups.listen(topicOf({ meeting_id }), gone)
      generating.wake()
      const until = performance.now() + wait * 1000
      for (;;) {
        const found = await show(db, meeting_id, version)
        const left = until - performance.now()
        // A bell is a hint, and may be lost: so it looks each second as well.
        if (found.status !== 'pending' || left <= 0 || !(await bell.within(Math.min(left, 1000)))) return found
      }
    },

    /** What a person has written stands above what an engine writes, also later. */
    async latest(me: Caller, meeting_id: string, query: ReadNotes): Promise<Written | NotesAwaited> {
      const readable = await listReadable(me, meeting_id, query)
      const [first] = readable
      if (!first) throw NotFound()
      return show(db, meeting_id, latestOf(readable, first.session_id).version)
    },

    async listVersions(me: Caller, meeting_id: string, query: ReadNotes): Promise<NotesVersions> {
      const readable = await listReadable(me, meeting_id, query)
      const latest = new Set(readable.map(({ session_id }) => latestOf(readable, session_id).version))
      return { data: readable.map(head => ({ ...shownHead(head), latest: latest.has(head.version) })) }
    },

    async get(me: Caller, meeting_id: string, version: number): Promise<Written | NotesAwaited> {
      const session_ids = await requireSome(me, meeting_id)
      const head = await store.findHead(db, meeting_id, version)
      if (!head) throw NotFound()
      if (session_ids && !session_ids.includes(head.session_id)) throw NotThere()
      return show(db, meeting_id, version)
    },

    /** Makes another version, and leaves this one as it is. */
    async edit(me: Caller, meeting_id: string, version: number, body: EditNotes, if_match: number[] | undefined) {
      return inTransaction(db, async db => {
        const standing = await requireHost(db, me, meeting_id, 'lock')
        const base = await store.find(db, meeting_id, version)
        if (!base) throw NotFound()
        if (base.status !== 'ready' || !base.contents) throw NotesNotReady()
        const edits = (await store.list(db, meeting_id, [base.session_id])).filter(
          ({ edited_by }) => edited_by !== null,
        )
        const overtaken = edits.some(edit => edit.version > version)
        if (if_match && (overtaken || !if_match.includes(version))) throw Stale()
        requireKnownCues(base.contents.key_points, body)
        const contents = { ...base.contents, ...body, ...withTrueCues(base.contents.key_points, body) }
        const row = await draftRow(db, me, meeting_id, base.session_id)
        const made = {
          ...row,
          status: 'ready' as const,
          engine: base.engine,
          mocked: base.mocked,
          edited_by: standing.me.id,
          based_on: version,
          contents,
        }
        await store.insert(db, made)
        const { session_id } = base
        const edited = {
          type: 'notes.edited',
          meeting_id,
          session_id,
          version: row.version,
          based_on: version,
        } as const
        await events.record(db, me, edited)
        return shown(db, made, contents)
      })
    },
  }

  /** Of the sessions that they may know of, the newest first. */
  async function listReadable(me: Caller, meeting_id: string, { session_id }: ReadNotes): Promise<store.NotesHead[]> {
    const sessions = await requireSome(me, meeting_id)
    if (session_id === undefined) return store.list(db, meeting_id, sessions)
    if (sessions && !sessions.includes(session_id)) throw NotThere()
    if (!(await presence.past.findSession(db, meeting_id, session_id))) throw NoSession()
    return store.list(db, meeting_id, [session_id])
  }

  /** Of which sessions they may read; undefined for all of them. */
  async function requireSome(me: Caller, meeting_id: string): Promise<string[] | undefined> {
    const { session_ids } = await presence.past.requireKnowing(db, me, meeting_id)
    if (session_ids?.length === 0) throw NotThere()
    return session_ids
  }

  async function draftRow(db: Db, { tenant_id }: Caller, meeting_id: string, session_id: string) {
    const version = await store.nextVersion(db, meeting_id)
    if (version > mostVersions) throw TooManyVersions()
    const now = clock.now()
    return {
      tenant_id,
      meeting_id,
      version,
      session_id,
      pending_session_id: null,
      engine: engine.name,
      mocked: false,
      edited_by: null,
      based_on: null,
      attempts: 0,
      next_attempt_at: now,
      leased_until: null,
      reason: null,
      contents: null,
      transcript_text: null,
      created_at: now,
    }
  }
}

async function show(db: Db, meeting_id: string, version: number): Promise<Written | NotesAwaited> {
  const row = await store.find(db, meeting_id, version)
  if (!row) throw NotFound()
  const { session_id, status, reason, created_at, contents } = row
  if (status === 'ready' && contents) return shown(db, row, contents)
  return { version, meeting_id, session_id, created_at, status: status === 'failed' ? status : 'pending', reason }
}

async function shown(db: Db, row: store.NotesRow, contents: Draft): Promise<Written> {
  const { version, meeting_id, session_id, created_at, engine, mocked, edited_by, based_on } = row
  const known = { version, meeting_id, session_id, created_at, status: 'ready' as const }
  return { ...known, engine, mocked, edited_by, based_on, transcript_text: await transcriptOf(db, row), ...contents }
}

/** An edit of an edit leads back to what an engine has read. */
async function transcriptOf(db: Db, row: store.NotesRow): Promise<string> {
  let { transcript_text, based_on } = row
  while (transcript_text === null && based_on !== null) {
    const base = await store.find(db, row.meeting_id, based_on)
    transcript_text = base?.transcript_text ?? null
    based_on = base?.based_on ?? null
  }
  return transcript_text ?? ''
}

function shownHead({
  version,
  meeting_id,
  session_id,
  status,
  reason,
  created_at,
  engine,
  mocked,
  edited_by,
  based_on,
}: store.NotesHead) {
  return { version, meeting_id, session_id, status, reason, created_at, engine, mocked, edited_by, based_on }
}

/** The newest edit of a session; without one, the newest that is ready; without that, the newest. */
function latestOf(newestFirst: store.NotesHead[], session_id: string): store.NotesHead {
  const ofSession = newestFirst.filter(head => head.session_id === session_id)
  const latest =
    ofSession.find(({ edited_by }) => edited_by !== null) ??
    ofSession.find(({ status }) => status === 'ready') ??
    ofSession[0]
  if (!latest) throw NotFound()
  return latest
}

/** A person may move or drop a cue, and not make one up. */
/** Who edits may choose among the quotes, and not what was quoted: a point of their own words has no cue. */
function withTrueCues(known: KeyPoint[], { key_points }: EditNotes): { key_points?: KeyPoint[] } {
  if (!key_points) return {}
  const quoted = new Map(known.map(point => [point.text, point.cues]))
  return {
    key_points: key_points.map(({ text, cues }) => ({
      text,
      cues: (quoted.get(text) ?? []).filter(({ id }) => cues.some(cue => cue.id === id)),
    })),
  }
}

function requireKnownCues(known: { cues: { id: string }[] }[], { key_points = [] }: EditNotes): void {
  const ids = new Set(known.flatMap(({ cues }) => cues.map(({ id }) => id)))
  const errors = key_points.flatMap(({ cues }, i) =>
    cues.flatMap(({ id }, j) =>
      ids.has(id) ? [] : [{ path: `key_points.${i}.cues.${j}.id`, message: 'is no cue of these notes' }],
    ),
  )
  if (errors.length > 0) throw Invalid({ errors })
}
