import { type Db, inTransaction } from '../../db/transaction.ts'
import { type Draft, type Files, partName, sumOf } from './files.ts'
import { ChunkMismatch, RecordingOver, RecordingTooLarge, StorageFull } from './schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  files: Files
  recording_max_bytes: number
  /** Of all of a tenant's together. */
  recordings_max_bytes: number
}

/**
 * The parts of a recording, in whatever order and however often they come. A part is flushed under a name of its own
 * before its row says that it is there; what a row does not name may be written over, and goes in the end.
 */
export function createChunks({ db, files, recording_max_bytes, recordings_max_bytes }: Deps) {
  return async function put(
    recording: store.RecordingRow,
    number: number,
    source: AsyncIterable<Buffer>,
  ): Promise<void> {
    requireOpen(recording)
    const known = await store.findChunk(db, recording.id, number)
    if (known) return requireSame(known, await sumOf(source))
    const { id } = recording
    if ((await store.bytesOfTenant(db, recording.tenant_id)) >= recordings_max_bytes) throw StorageFull()
    try {
      const draft = await files.write(id, source)
      await keep(id, number, draft)
    } catch (error) {
      // It was stopped or deleted meanwhile, and what had been written went with the rest.
      const now = await store.findById(db, id)
      if (!now) await files.removeAll(id)
      if (now?.status !== 'active') throw RecordingOver()
      throw error
    }
  }

  async function keep(id: string, number: number, draft: Draft): Promise<void> {
    const name = partName(number, draft.sha256)
    try {
      await draft.keepAs(name)
      await inTransaction(db, async db => {
        const now = await store.lock(db, id)
        if (!now) throw RecordingOver()
        requireOpen(now)
        const first = await store.findChunk(db, id, number)
        if (first) return requireSame(first, draft)
        if (now.bytes + draft.bytes > recording_max_bytes) throw RecordingTooLarge()
        await store.lockTenant(db, now.tenant_id)
        if ((await store.bytesOfTenant(db, now.tenant_id)) + draft.bytes > recordings_max_bytes) throw StorageFull()
        await store.insertChunk(db, { recording_id: id, number, bytes: draft.bytes, sha256: draft.sha256 })
        await store.addBytes(db, id, draft.bytes)
      })
    } catch (error) {
      // Unless the same part came at the same time, by another call.
      const kept = await store.findChunk(db, id, number)
      if (kept?.sha256 !== draft.sha256) await files.remove(id, name)
      throw error
    }
  }
}

function requireOpen({ source, status }: store.RecordingRow): void {
  if (source !== 'upload' || status !== 'active') throw RecordingOver()
}

function requireSame(known: store.ChunkRow, { bytes, sha256 }: { bytes: number; sha256: string }): void {
  if (known.bytes !== bytes || known.sha256 !== sha256) throw ChunkMismatch()
}
