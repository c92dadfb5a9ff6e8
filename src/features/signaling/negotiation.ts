import type { Draft } from './draft.ts'
import { ofNegotiations, ownerOf, type Pair } from './inbox.ts'
import type { Letter } from './send.ts'
import { tell } from './telling.ts'
import { type Desk, NeedsMore } from './writer.ts'

/** What the types of signals mean for two who negotiate: whose offer is open, which ICE session is the present one. */

const candidates = new Set(['candidate', 'candidates', 'end_of_candidates'])
const isCandidate = (type: string) => candidates.has(type)

/** After it nothing of before matters; so it reopens what was backlogged. */
export const startsAnew = (type: string): boolean => type === 'offer' || type === 'renegotiate'

export const isStale = ({ past = [] }: Pair, { type, ice_session }: Letter): boolean =>
  isCandidate(type) && ice_session !== undefined && past.includes(ice_session)

/** The other one's offer is on its way, or was read and not answered: of the two, this one came later. */
export const isGlare = (desk: Desk, me: Draft, to: Draft, { type }: Letter): boolean =>
  type === 'offer' && (me.pairWith(to.inbox.id).offer_until ?? '') > desk.now

const mostPast = 8

/** Candidates of a session that is over would be tried in vain, or, worse, in the new one. */
export function beginIceSession(me: Draft, to: Draft, { type, ice_session }: Letter): void {
  const { ice, past = [] } = to.pairWith(me.inbox.id)
  if (ice_session === undefined || ice_session === ice || !ofNegotiations.has(type)) return
  to.withdraw('stale_ice_session', entry => {
    const isOld = entry.ice_session !== null && entry.ice_session !== ice_session
    return entry.sender === me.inbox.id && isCandidate(entry.type) && isOld
  })
  const others = [...past, ...(ice === undefined ? [] : [ice])].filter(name => name !== ice_session)
  to.changePair(me.inbox.id, { ice: ice_session, past: others.slice(-mostPast) })
}

/** `group` are all that get the same offer. */
export function noteOffer(me: Draft, to: Draft, expires_at: string, group: string[]): void {
  const others = group.filter(id => id !== to.inbox.id)
  to.changePair(me.inbox.id, {
    offer_until: expires_at,
    group: others.length > 0 ? others : undefined,
  })
}

/**
 * Whoever answers has given up an offer of their own, if it crossed with this one. Their other devices, that ring with
 * the same offer, are told that it is answered.
 */
export function noteAnswer(desk: Desk, me: Draft, to: Draft, { negotiation_id }: Letter): void {
  const { offer_until, group = [] } = me.pairWith(to.inbox.id)
  const missing = group.filter(id => !desk.draft(id))
  if (missing.length > 0) throw new NeedsMore(missing)
  for (const id of group) {
    const other = desk.draft(id)
    if (!other || other.inbox.closed || !other.pairWith(to.inbox.id).group?.includes(me.inbox.id)) continue
    const payload = { connection: to.inbox.id, answered_by: me.inbox.id }
    other.append(tell(desk, 'answered_elsewhere', payload, ownerOf(me.inbox), negotiation_id))
    closeOffer(other, to)
  }
  if (offer_until !== undefined) closeOffer(me, to)
  if (to.pairWith(me.inbox.id).offer_until !== undefined) closeOffer(to, me)
}

const closeOffer = (draft: Draft, from: Draft) =>
  draft.changePair(from.inbox.id, { offer_until: undefined, group: undefined })
