import type { Draft } from './draft.ts'
import { ownerOf, reasonOf, type Stored } from './inbox.ts'
import { tell } from './telling.ts'
import { type Desk, NeedsMore, type Work } from './writer.ts'

/** What nobody fetched in time becomes a gap, and each of its senders is told so, once. */
export function expireOf(id: string, session_id: string): Work<number> {
  return {
    ids: [id],
    session_id,
    bytes: 0,
    decide(desk) {
      const draft = desk.draft(id)
      return draft && !draft.inbox.closed ? expireIn(desk, draft, () => true) : 0
    },
  }
}

export function expireIn(desk: Desk, draft: Draft, isMeant: (entry: Stored) => boolean): number {
  const expired = draft.withdraw('expired', entry => reasonOf(entry, desk.now) === 'expired' && isMeant(entry))
  const senders = [...new Set(expired.flatMap(({ sender }) => sender ?? []))]
  const missing = senders.filter(sender => !desk.draft(sender))
  if (missing.length > 0) throw new NeedsMore(missing)
  for (const sender of senders) {
    const lost = expired.filter(entry => entry.sender === sender)
    const payload = { connection: draft.inbox.id, reason: 'expired', seqs: lost.map(({ seq }) => seq) }
    const to = desk.draft(sender)
    if (to && !to.inbox.closed) to.append(tell(desk, 'undelivered', payload, ownerOf(draft.inbox)))
  }
  return expired.length
}
