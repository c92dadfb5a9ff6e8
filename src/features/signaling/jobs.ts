import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Job } from '../../jobs/sweeper.ts'
import type { Clock } from '../../kernel/clock.ts'
import { expireOf } from './expire.ts'
import * as inboxes from './inbox-store.ts'
import type { Mirror } from './mirror.ts'
import * as store from './store.ts'
import type { Writer } from './writer.ts'

interface Deps {
  db: Db
  clock: Clock
  mirror: Mirror
  writer: Writer
}

const batch = 100
/** Of signals, in one transaction: a longer one would keep everybody waiting who sends. */
const mostPurged = 500
/** A node that was away for longer finds the rest when the connection itself is forgotten. */
const closedWithin_s = 3600

export const signalingJobs = ({ db, clock, mirror, writer }: Deps): Job[] => [
  {
    name: 'signals that nobody fetched in time',
    every_s: 2,
    async run() {
      let expired = 0
      for (let after = ''; ; ) {
        const unread = await inboxes.listUnread(db, after, batch)
        const due = unread.filter(({ id, revision }) => mirror.mayExpire(id, revision, clock.now()))
        const counts = await Promise.all(due.map(({ id, session_id }) => writer.submit(expireOf(id, session_id))))
        expired += counts.reduce((sum, count) => sum + count, 0)
        if (unread.length < batch) return expired
        after = unread.at(-1)?.id ?? ''
      }
    },
  },
  {
    name: 'inboxes of closed connections',
    every_s: 10,
    async run() {
      const left = await store.listLeftOver(db, clock.in(-closedWithin_s), batch)
      if (left.length === 0) return 0
      return inTransaction(db, db => store.purge(db, left, mostPurged))
    },
  },
]
