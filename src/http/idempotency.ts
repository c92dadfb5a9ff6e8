import { createHash } from 'node:crypto'
import { type Db, inTransaction } from '../db/transaction.ts'
import type { Job } from '../jobs/sweeper.ts'
import type { Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import { Invalid, Problem, problem } from '../kernel/problem.ts'

/**
 * `Idempotency-Key`: the first answer to a caller's key is kept for a day and given again to every repetition.
 *
 * A key is claimed before the work begins. When the work is refused the claim is dropped, so that a corrected request
 * may use the key. When the process dies in between, nobody can know whether the work took effect: the claim stays,
 * and says so, because doing the work twice is the one thing a key is there to prevent.
 */

export const IdempotencyMismatch = problem(
  'invalid',
  'idempotency_mismatch',
  'This Idempotency-Key was used for another request',
)
export const IdempotencyInProgress = problem(
  'conflict',
  'idempotency_in_progress',
  'The first request with this Idempotency-Key is still running',
)
export const IdempotencyUnknown = problem(
  'conflict',
  'idempotency_unknown',
  'The first request with this Idempotency-Key was cut off; look whether it took effect, then use a new key',
)

interface Claim {
  id: string
  tenant_id: string
  caller_id: string
  idempotency_key: string
  digest: string
  /** Null while the first request is running. */
  answer: string | null
  created_at: string
}

const keptFor_s = 24 * 3600
/** No request runs for longer than this (http/server). */
const longestRequest_s = 90

export interface Answered {
  answer: unknown
  replayed: boolean
}

export function createIdempotency({ db, clock }: { db: Db; clock: Clock }) {
  const claims = (db: Db) => db<Claim>('idempotency_keys')

  return {
    async run(
      { key, caller, request }: { key: string; caller: Caller; request: unknown },
      work: () => Promise<unknown>,
    ): Promise<Answered> {
      if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
        throw Invalid({ errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 200 visible ASCII characters' }] })
      }
      const mine = { tenant_id: caller.tenant_id, caller_id: caller.user_id, idempotency_key: key }
      const digest = createHash('sha256').update(JSON.stringify(request)).digest('base64url')
      const id = newId('idk')

      const standing = await inTransaction(db, async db => {
        await claims(db).where(mine).where('created_at', '<', clock.in(-keptFor_s)).delete()
        const claim: Claim = { id, ...mine, digest, answer: null, created_at: clock.now() }
        await claims(db).insert(claim).onConflict(['tenant_id', 'caller_id', 'idempotency_key']).ignore()
        return claims(db).where(mine).first()
      })
      if (standing && standing.id !== id) return { answer: repeat(standing, digest), replayed: true }

      try {
        const answer = (await work()) ?? null
        await inTransaction(db, db =>
          claims(db)
            .where({ id })
            .update({ answer: JSON.stringify(answer) }),
        )
        return { answer, replayed: false }
      } catch (error) {
        if (error instanceof Problem) await inTransaction(db, db => claims(db).where({ id }).delete())
        throw error
      }
    },

    sweep: {
      name: 'idempotency keys of yesterday',
      every_s: 600,
      run: () =>
        inTransaction(db, async db => {
          const old = await claims(db).where('created_at', '<', clock.in(-keptFor_s)).limit(500).pluck('id')
          return claims(db).whereIn('id', old).delete()
        }),
    } satisfies Job,
  }

  function repeat(earlier: Claim, digest: string): unknown {
    if (earlier.digest !== digest) throw IdempotencyMismatch()
    if (earlier.answer !== null) return JSON.parse(earlier.answer)
    throw earlier.created_at < clock.in(-longestRequest_s) ? IdempotencyUnknown() : IdempotencyInProgress()
  }
}
