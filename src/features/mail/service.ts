import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import { newId } from '../../kernel/ids.ts'
import { createDelivery, type Deps } from './delivery.ts'
import type { Mail } from './letter.ts'
import * as store from './store.ts'

const keptFor_s = 30 * 24 * 3600

export type MailRoom<AnyMail extends Mail> = ReturnType<typeof createMail<AnyMail>>

/**
 * A mail is written in the transaction of the change that it tells of, and sent by a job: a mail server that is away
 * delays it, and a process that dies loses none.
 */
export function createMail<AnyMail extends Mail>(deps: Deps<AnyMail>) {
  const { db, clock, transport } = deps
  const delivery = createDelivery(deps)

  const jobs: Job[] = [
    { name: 'mails that are due', every_s: 5, run: delivery.sendDue },
    {
      name: 'mails of last month',
      every_s: 600,
      run: () => inTransaction(db, db => store.deleteSettled(db, clock.in(-keptFor_s), 500)),
    },
  ]

  return {
    /** `db` is the caller's transaction: mails go out exactly if the change is made. */
    async post(db: Db, ...mails: AnyMail[]): Promise<void> {
      const rows = mails.map(({ tenant_id, kind, dedupe_key, to_address, facts }) => ({
        id: newId('mai'),
        tenant_id,
        kind,
        dedupe_key,
        to_address,
        facts: JSON.stringify(facts),
        attempts: 0,
        next_attempt_at: clock.now(),
        leased_until: null,
        last_error: null,
        sent_at: null,
        failed_at: null,
        created_at: clock.now(),
      }))
      await store.insert(db, rows)
    },

    /** For a sweeper of their own, since they wait for a mail server. */
    jobs,

    /** The job that runs ends with the letters that are under way; what waits is for the next process. */
    close(): void {
      delivery.stop()
      transport.close()
    },
  }
}
