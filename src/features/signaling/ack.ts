import { expireIn } from './expire.ts'
import { type Ack, AckAhead, type Acked } from './schema.ts'
import { requireOpen, type Sender } from './send.ts'
import type { Work } from './writer.ts'

/** What has been used may go. Only this deletes. */
export function ackOf(owner: Sender, { up_to, seqs }: Pick<Ack, 'up_to' | 'seqs'>): Work<Acked> {
  return {
    ids: [owner.id],
    session_id: owner.session_id,
    bytes: 0,
    decide(desk) {
      const me = requireOpen(desk, owner)
      if (Math.max(up_to ?? 0, ...(seqs ?? [])) >= me.nextSeq) throw AckAhead()
      // A gap may be acknowledged before the sweeper comes by: its sender is told all the same.
      expireIn(desk, me, ({ seq, deliveries }) => deliveries === 0 && (seqs?.includes(seq) ?? seq <= (up_to ?? 0)))
      const acknowledged = up_to === undefined ? me.ackEach(seqs ?? []) : me.ackThrough(up_to)
      return { acknowledged, acked_through: me.acked_through }
    },
  }
}
