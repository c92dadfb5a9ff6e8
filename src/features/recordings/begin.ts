import type { Db } from '../../db/transaction.ts'
import type { Actor, Events } from '../../events/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import type { Meetings } from '../meetings/service.ts'
import { hosts } from '../meetings/types.ts'
import { NotLive } from '../presence/schema.ts'
import type { Presence } from '../presence/service.ts'
import type { Signaling } from '../signaling/service.ts'
import type { Finish } from './finish.ts'
import { mockType, RecordingActive, type StartRecording } from './schema.ts'
import * as store from './store.ts'

interface Deps {
  clock: Clock
  events: Events
  meetings: Meetings
  presence: Presence
  signaling: Signaling
  finish: Finish
}

/** How a recording begins: by a host's word, or by itself with the first host; and how those who are there learn of it. */
export function createBegin({ clock, events, meetings, presence, signaling, finish }: Deps) {
  events.on('participant.joined', async (db, { meeting_id, participant_id, connection_id }, actor) => {
    const session = await presence.past.findSession(db, meeting_id)
    const active = session && (await store.findActive(db, session.id))
    if (active) return tellNewcomer(db, actor, active, participant_id, connection_id)
    const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
    if (!session || meeting?.recording !== 'auto' || (await store.isRecorded(db, session.id))) return
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    const host = present?.connections.some(({ connection, role }) => connection === connection_id && hosts(role))
    if (host) await begin(db, actor, meeting_id, { source: 'mock' }, participant_id)
  })

  return begin

  /** `db` is a transaction, with the meeting locked and live. Everybody inside is told, and it is kept who was. */
  async function begin(
    db: Db,
    actor: Actor,
    meeting_id: string,
    { source, content_type }: StartRecording,
    started_by: string | null,
  ): Promise<store.RecordingRow> {
    const { tenant_id } = actor
    const session = await presence.past.findSession(db, meeting_id)
    if (!session || session.ended_at !== null) throw NotLive()
    const present = await presence.listPresent(db, tenant_id, meeting_id)
    const people = new Map(present?.connections.map(each => [each.participant, each.display_name]))
    const recording: store.RecordingRow = {
      id: newId('rec'),
      tenant_id,
      meeting_id,
      session_id: session.id,
      active_session_id: session.id,
      source,
      status: 'active',
      failure: null,
      visibility: 'hosts',
      content_type: source === 'mock' ? mockType : (content_type ?? 'video/webm'),
      bytes: 0,
      sha256: null,
      duration_ms: null,
      seekable_bytes: null,
      participants: [...people].map(([id, display_name]) => ({ id, display_name })),
      started_by,
      started_at: clock.now(),
      ended_at: null,
      ready_at: null,
      due_at: null,
      attempts: 0,
    }
    if (!(await store.insert(db, recording))) throw RecordingActive()
    const told = await finish.tell(db, recording, 'started')
    await events.record(db, actor, {
      type: 'recording.started',
      meeting_id,
      session_id: session.id,
      recording_id: recording.id,
      told: [...new Set(told.map(({ participant }) => participant))],
    })
    return recording
  }

  /** Whoever comes later is told as well, and that, too, is kept. */
  async function tellNewcomer(
    db: Db,
    actor: Actor,
    { id, meeting_id, source }: store.RecordingRow,
    participant_id: string,
    connection_id: string,
  ): Promise<void> {
    const payload = { recording_id: id, state: 'started', source }
    const where = { tenant_id: actor.tenant_id, meeting_id }
    await signaling.tellAll(db, where, 'recording', payload, { only: connection_id })
    await events.record(db, actor, { type: 'recording.told', meeting_id, recording_id: id, participant_id })
  }
}
