import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import * as store from './store.ts'

const batch = 500

/** Nobody can use them any more, and what they said is in the events. */
export const accountJobs = ({ db, clock }: { db: Db; clock: Clock }): Job[] => [
  {
    name: 'expired refresh tokens',
    every_s: 600,
    run: () => inTransaction(db, db => store.deleteExpiredRefreshTokens(db, clock.now(), batch)),
  },
  {
    name: 'expired logins',
    every_s: 600,
    run: () => inTransaction(db, db => store.deleteExpiredLogins(db, clock.now(), batch)),
  },
]
