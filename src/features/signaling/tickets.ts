import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import { NotFound } from '../../kernel/problem.ts'
import { type Ticket, TicketRefused } from './schema.ts'
import * as store from './store.ts'

const ttl_s = 30

/** A browser can set no header where it opens a channel: so it gets something to show there, once and soon. */
export function createTickets({ db, clock }: { db: Db; clock: Clock }) {
  return {
    /** A connection has one at most; of two, the later one counts. */
    async issue(connection_id: string): Promise<Ticket> {
      const ticket = newSecret()
      const expires_at = clock.in(ttl_s)
      const kept = { ticket_hash: hashSecret(ticket), ticket_until: expires_at }
      if (!(await inTransaction(db, db => store.setTicket(db, connection_id, kept)))) throw NotFound()
      return { ticket, expires_at }
    },

    /** On whatever node it was issued, one of those who show it is let in. */
    async use(connection_id: string, ticket: string): Promise<void> {
      const used = await inTransaction(db, db => store.useTicket(db, connection_id, hashSecret(ticket), clock.now()))
      if (!used) throw TicketRefused()
    },
  }
}
