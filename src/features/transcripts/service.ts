import { hash } from 'node:crypto'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import { type FieldError, Invalid } from '../../kernel/problem.ts'
import { standingOf } from '../meetings/standing.ts'
import type { Witness } from '../presence/past.ts'
import type { Presence } from '../presence/service.ts'
import {
  type Added,
  type AddTranscript,
  mostSegments,
  type OfSession,
  type Segment,
  type Transcript,
  TranscriptClosed,
  TranscriptFull,
} from './schema.ts'
import * as store from './store.ts'
import { formatSrt, formatVtt } from './vtt.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  presence: Presence
}

const openFor_s = 24 * 3600

type Said = AddTranscript['segments'][number]

interface Told {
  segment: Segment
  /** Under which it may be there already. */
  digests: string[]
}

export type Transcripts = ReturnType<typeof createTranscripts>

export function createTranscripts({ db, clock, events, presence }: Deps) {
  async function get(caller: Caller, meeting_id: string, { session_id }: OfSession): Promise<Transcript> {
    const { session } = await presence.past.requireWitness(db, caller, meeting_id, session_id)
    const segments = await store.listInOrder(db, session.id)
    return { session_id: session.id, started_at: session.started_at, segments }
  }

  return {
    get,
    asVtt: async (caller: Caller, meeting_id: string, of: OfSession) =>
      formatVtt((await get(caller, meeting_id, of)).segments),
    asSrt: async (caller: Caller, meeting_id: string, of: OfSession) =>
      formatSrt((await get(caller, meeting_id, of)).segments),

    /** Each captioner adds what it has heard, as often as it likes: what is there already stays as it is. */
    async add(caller: Caller, meeting_id: string, { session_id }: OfSession, body: AddTranscript): Promise<Added> {
      return inTransaction(db, async db => {
        await standingOf(db, caller, meeting_id, 'lock')
        const witness = await presence.past.requireWitness(db, caller, meeting_id, session_id)
        const { session, me } = witness
        if (session.ended_at !== null && session.ended_at < clock.in(-openFor_s)) throw TranscriptClosed()

        const told = await segmentsOf(db, witness, body.segments)
        const known = await store.listKnown(
          db,
          session.id,
          [...told.values()].flatMap(({ digests }) => digests),
        )
        const fresh = [...told].flatMap(([digest, { segment, digests }]) =>
          digests.some(each => known.has(each)) ? [] : [{ digest, ...segment }],
        )
        const duplicates = body.segments.length - fresh.length
        if (fresh.length === 0) return { session_id: session.id, added: 0, duplicates }
        if ((await store.count(db, session.id)) + fresh.length > mostSegments) throw TranscriptFull()

        const { tenant_id } = caller
        const same = { tenant_id, meeting_id, session_id: session.id, added_by: me.id, added_at: clock.now() }
        await store.insert(
          db,
          fresh.map(segment => ({ ...segment, ...same })),
        )
        await events.record(db, caller, {
          type: 'transcript.added',
          meeting_id,
          session_id: session.id,
          participant_id: me.id,
          segments: fresh.length,
        })
        return { session_id: session.id, added: fresh.length, duplicates }
      })
    },

    /** All of it, for who makes notes. */
    listOfSession: (db: Db, session_id: string): Promise<Segment[]> => store.listInOrder(db, session_id),
  }

  /** By what makes each of them the same when it comes again, with their speakers found among who was there. */
  async function segmentsOf(db: Db, { me, session }: Witness, said: Said[]): Promise<Map<string, Told>> {
    const nameOf = new Map([[me.id, me.display_name]])
    const named = new Map<string, Set<string>>()
    for (const { participant_id, display_name } of await presence.past.listAttendances(db, session.id)) {
      nameOf.set(participant_id, display_name)
      const alike = named.get(folded(display_name)) ?? new Set()
      named.set(folded(display_name), alike.add(participant_id))
    }
    const faults: FieldError[] = []
    const segments = new Map<string, Told>()
    for (const [i, { participant_id, speaker, start_ms, end_ms, text }] of said.entries()) {
      if (participant_id !== undefined && !nameOf.has(participant_id)) {
        faults.push({ path: `segments.${i}.participant_id`, message: 'was not in this session' })
      }
      const alike = speaker === undefined ? [] : [...(named.get(folded(speaker)) ?? [])]
      const [first] = alike
      const found = alike.length === 1 ? first : undefined
      const who = participant_id ?? (speaker === undefined ? me.id : (found ?? null))
      const name = (who === null ? speaker : nameOf.get(who)) ?? ''
      const digestOf = (by: string) => hash('sha256', JSON.stringify([by, start_ms, end_ms, text]), 'base64url')
      const digest = digestOf(who ?? name)
      const digests = [digest]
      // When it came before, perhaps nobody had that name yet, or only the first of them.
      if (participant_id === undefined && speaker !== undefined) {
        digests.push(digestOf(speaker), ...(first ? [digestOf(first)] : []))
      }
      const segment = { id: newId('seg'), participant_id: who, speaker: name, start_ms, end_ms, text }
      segments.set(digest, { segment, digests })
    }
    if (faults.length > 0) throw Invalid({ errors: faults })
    return segments
  }
}

/** Two spellings of one name. */
const folded = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
