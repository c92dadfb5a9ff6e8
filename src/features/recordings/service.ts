import { pageOf } from '../../db/pages.ts'
import { afterCommit, type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Page } from '../../kernel/fields.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import type { Log } from '../../kernel/log.ts'
import { NotFound, Unauthenticated } from '../../kernel/problem.ts'
import type { Meetings } from '../meetings/service.ts'
import { requireHost } from '../meetings/standing.ts'
import * as meetingStore from '../meetings/store.ts'
import { NotLive } from '../presence/schema.ts'
import type { Presence } from '../presence/service.ts'
import type { Signaling } from '../signaling/service.ts'
import { createBegin } from './begin.ts'
import { createChunks } from './chunks.ts'
import { createFfmpeg } from './ffmpeg.ts'
import { createFiles, RECORDING, SEEKABLE } from './files.ts'
import { createFinish } from './finish.ts'
import { recordingJobs } from './jobs.ts'
import {
  baseType,
  type ChangeRecording,
  type DownloadQuery,
  type Link,
  LinkInvalid,
  mockType,
  NotReady,
  type Recording,
  RecordingOff,
  type StartRecording,
} from './schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  log: Log
  meetings: Meetings
  presence: Presence
  signaling: Signaling
  storage_dir: string
  /** By which links are reached from outside. */
  origin: string
  recording_max_bytes: number
  recordings_max_bytes: number
  recordings_kept_days: number | undefined
}

export type Recordings = ReturnType<typeof createRecordings>

export function createRecordings(deps: Deps) {
  const { db, clock, events, meetings, presence, origin, log } = deps
  const files = createFiles(deps.storage_dir)
  const finish = createFinish({ ...deps, files, ffmpeg: createFfmpeg(log) })
  const put = createChunks({ ...deps, files })
  const begin = createBegin({ ...deps, finish })
  listen()

  return {
    jobs: recordingJobs({ ...deps, files, finish, remove }),
    settled: finish.settled,

    async start(caller: Caller, meeting_id: string, given: StartRecording): Promise<Recording> {
      return inTransaction(db, async db => {
        const { meeting, me } = await requireHost(db, caller, meeting_id, 'lock')
        if (meeting.status !== 'live') throw NotLive()
        if (meeting.recording === 'off') throw RecordingOff()
        return shown(await begin(db, caller, meeting_id, given, me.id))
      })
    },

    async putChunk(caller: Caller, id: string, number: number, source: AsyncIterable<Buffer>): Promise<void> {
      await put(await hosted(caller, id), number, source)
    },

    async stop(caller: Caller, id: string, chunks: number | undefined): Promise<Recording> {
      await finish.stop(caller, await hosted(caller, id), chunks)
      return shown(await hosted(caller, id))
    },

    /** Hosts see all of them; the others what is shared with them, of the sessions that they were in. */
    async list(caller: Caller, meeting_id: string, page: Page) {
      const { session_ids } = await presence.past.requireKnowing(db, caller, meeting_id)
      const query = session_ids ? store.sharedQuery(db, meeting_id, session_ids) : store.pageQuery(db, meeting_id)
      const { data, next_cursor } = await pageOf<store.RecordingRow>(query, { id: 'desc' }, page)
      return { data: data.map(shown), next_cursor }
    },

    get: async (caller: Caller, id: string): Promise<Recording> => shown(await visible(caller, id)),

    async change(caller: Caller, id: string, { visibility }: ChangeRecording): Promise<Recording> {
      const { meeting_id } = await hosted(caller, id)
      await inTransaction(db, async db => {
        await requireHost(db, caller, meeting_id, 'lock')
        const { visibility: before } = (await store.lock(db, id)) ?? {}
        if (before === undefined) throw NotFound()
        if (before === visibility) return
        await store.change(db, id, ['active', 'processing', 'ready', 'failed'], { visibility })
        const type = visibility === 'participants' ? 'recording.shared' : 'recording.unshared'
        await events.record(db, caller, { type, meeting_id, recording_id: id })
      })
      return shown(await hosted(caller, id))
    },

    async remove(caller: Caller, id: string): Promise<void> {
      const recording = await hosted(caller, id)
      await remove(recording, caller)
    },

    /** By who may see it, or whoever has a link. */
    async download(caller: Caller | undefined, id: string, { link, copy }: DownloadQuery) {
      if (link === undefined && !caller) throw Unauthenticated()
      const recording = link === undefined && caller ? await visible(caller, id) : await linked(id, link ?? '')
      if (recording.status !== 'ready') throw NotReady()
      if (copy !== undefined && recording.seekable_bytes === null) throw NotFound()
      const title = await titleOf(recording)
      const name = copy ? SEEKABLE : RECORDING
      return {
        name: `${title}.${extensionOf(recording.content_type)}`,
        content_type: recording.content_type === mockType ? 'text/plain; charset=utf-8' : recording.content_type,
        size: Number(copy ? recording.seekable_bytes : recording.bytes),
        etag: `"${copy ? `seekable-${recording.sha256}` : recording.sha256}"`,
        modified_at: recording.ready_at ?? recording.started_at,
        open: (start: number, end: number) => files.stream(id, name, start, end),
      }
    },

    async link(caller: Caller, id: string, { ttl_s }: { ttl_s: number }): Promise<Link> {
      const { meeting_id } = await hosted(caller, id)
      const secret = newSecret()
      const expires_at = clock.in(ttl_s)
      await inTransaction(db, async db => {
        await requireHost(db, caller, meeting_id, 'lock')
        await store.insertLink(db, { token_hash: hashSecret(secret), recording_id: id, expires_at })
      })
      return { url: `${origin}/api/recordings/${id}/download?link=${secret}`, expires_at }
    },

    async revokeLinks(caller: Caller, id: string): Promise<void> {
      const { meeting_id } = await hosted(caller, id)
      await inTransaction(db, async db => {
        await requireHost(db, caller, meeting_id, 'lock')
        await store.deleteLinks(db, id)
      })
    },
  }

  /** For hosts of its meeting; to whom the meeting is none of their business, it does not exist. */
  async function hosted(caller: Caller, id: string): Promise<store.RecordingRow> {
    const recording = await store.find(db, caller.tenant_id, id)
    if (!recording) throw NotFound()
    await requireHost(db, caller, recording.meeting_id)
    return recording
  }

  async function visible(caller: Caller, id: string): Promise<store.RecordingRow> {
    const recording = await store.find(db, caller.tenant_id, id)
    if (!recording) throw NotFound()
    const { meeting_id, session_id, status, visibility } = recording
    const { session_ids } = await presence.past.requireKnowing(db, caller, meeting_id)
    const shared = status === 'ready' && visibility === 'participants' && session_ids?.includes(session_id)
    if (session_ids && !shared) throw NotFound()
    return recording
  }

  async function linked(id: string, secret: string): Promise<store.RecordingRow> {
    const link = await store.findLink(db, hashSecret(secret), id, clock.now())
    const recording = link && (await store.findById(db, id))
    if (!recording) throw LinkInvalid()
    return recording
  }

  async function titleOf({ tenant_id, meeting_id, started_at }: store.RecordingRow): Promise<string> {
    const meeting = await meetings.findFor(db, tenant_id, meeting_id)
    const title = [...(meeting?.title ?? 'Recording')].slice(0, 80).join('')
    return `${title} ${started_at.slice(0, 10)}`
  }

  async function remove({ id, tenant_id, meeting_id }: store.RecordingRow, actor: Actor): Promise<void> {
    const removed = await inTransaction(db, async db => {
      await meetingStore.lock(db, tenant_id, meeting_id)
      const recording = await store.lock(db, id)
      if (!recording) return false
      await store.remove(db, id)
      if (recording.active_session_id !== null) await finish.tell(db, recording, 'stopped')
      await events.record(db, actor, { type: 'recording.deleted', meeting_id, recording_id: id })
      return true
    })
    if (removed) await removeFiles([id])
  }

  /** The rows are gone, and nobody has to wait for this. */
  async function removeFiles(ids: string[]): Promise<void> {
    for (const id of ids) {
      await files.removeAll(id).catch(error => {
        log.error({ recording_id: id, err: error }, 'files of a recording are left; a job removes them')
      })
    }
  }

  function listen(): void {
    events.on('meeting.ended', (db, { session_id }, actor) => finish.endOfSession(db, actor, session_id))
    // The rows go with the meeting. What is left of the files if this process dies now is found by a job.
    events.on('meeting.deleted', async (db, { meeting_id }) => {
      const ids = await store.listIdsOfMeeting(db, meeting_id)
      afterCommit(db, () => void removeFiles(ids))
    })
  }
}

function shown(row: store.RecordingRow): Recording {
  const { id, meeting_id, session_id, source, status, failure, visibility, content_type, sha256 } = row
  const { bytes, seekable_bytes, duration_ms, participants, started_at, ended_at } = row
  return {
    id,
    meeting_id,
    session_id,
    source,
    mocked: source === 'mock',
    status,
    failure,
    visibility,
    content_type,
    bytes,
    sha256,
    duration_s: duration_ms === null ? null : duration_ms / 1000,
    seekable_bytes,
    participants,
    started_at,
    ended_at,
  }
}

const extensions: { [type: string]: string } = {
  'text/plain': 'txt',
  'video/webm': 'webm',
  'audio/webm': 'webm',
  'video/mp4': 'mp4',
  'audio/mp4': 'm4a',
  'audio/ogg': 'ogg',
  'video/x-matroska': 'mkv',
}

const extensionOf = (content_type: string): string => extensions[baseType(content_type)] ?? 'bin'
