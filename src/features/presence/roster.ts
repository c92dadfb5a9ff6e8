import type { RosterEntry } from './schema.ts'
import type { ConnectionRow, PresentRow } from './store.ts'

/** Of two, whoever came later gives way when their offers cross. It never changes for the two. */
export const isPolite = (me: { joined_as: number }, other: { joined_as: number }): boolean =>
  me.joined_as > other.joined_as

/** The others inside, as one of them sees them. */
export const seenBy = (me: Pick<ConnectionRow, 'id' | 'joined_as'>, present: PresentRow[]): RosterEntry[] =>
  present
    .filter(({ connection }) => connection !== me.id)
    .map(({ joined_as, user_id: _, may_send: __, ...entry }) => ({ ...entry, polite: isPolite(me, { joined_as }) }))
