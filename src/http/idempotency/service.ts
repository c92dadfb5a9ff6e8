import { createHash } from 'node:crypto'
import { isConflict } from '../../db/errors.ts'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import { type Caller, callerId } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import { Invalid, Problem, problem } from '../../kernel/problem.ts'
import * as store from './store.ts'

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

const keptFor_s = 24 * 3600
/** A claim without an answer that is older than this has lost its process. */
const longestWork_s = 90

export interface Answered {
  answer: unknown
  replayed: boolean
}

export function createIdempotency({ db, clock }: { db: Db; clock: Clock }) {
  return {
    async run(
      { key, caller, request }: { key: string; caller: Caller; request: unknown },
      work: () => Promise<unknown>,
    ): Promise<Answered> {
      if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
        throw Invalid({ errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 200 visible ASCII characters' }] })
      }
      const claim: store.Claim = {
        id: newId('idk'),
        tenant_id: caller.tenant_id,
        caller_id: callerId(caller),
        idempotency_key: key,
        digest: createHash('sha256').update(JSON.stringify(request)).digest('base64url'),
        answer: null,
        created_at: clock.now(),
      }
      const standing = await inTransaction(db, db => store.claim(db, claim, clock.in(-keptFor_s)))
      if (standing.id !== claim.id) return { answer: repeat(standing, claim.digest), replayed: true }

      try {
        const answer = (await work()) ?? null
        await inTransaction(db, db => store.answer(db, claim.id, JSON.stringify(answer)))
        return { answer, replayed: false }
      } catch (error) {
        // A transaction that was in another's way was rolled back whole: nothing took effect.
        const refused = error instanceof Problem || isConflict(error)
        await inTransaction(db, db => (refused ? store.drop(db, claim.id) : store.answer(db, claim.id, cutOff)))
        throw error
      }
    },

    sweep: {
      name: 'idempotency keys of yesterday',
      every_s: 600,
      run: () => inTransaction(db, db => store.deleteOlder(db, clock.in(-keptFor_s), 500)),
    } satisfies Job,
  }

  function repeat({ digest, answer, created_at }: store.Claim, wanted: string): unknown {
    if (digest !== wanted) throw IdempotencyMismatch()
    if (answer === cutOff) throw IdempotencyUnknown()
    if (answer !== null) return JSON.parse(answer)
    throw created_at < clock.in(-longestWork_s) ? IdempotencyUnknown() : IdempotencyInProgress()
  }
}

/** Stands for the answer of work that failed in a way that leaves open whether it took effect. No JSON is empty. */
const cutOff = ''
