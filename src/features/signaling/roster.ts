import { batchWithin } from '../../db/prepared.ts'
import { afterCommit, type Db } from '../../db/transaction.ts'
import type { Actor, Events, LeaveReason } from '../../events/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { hosts } from '../meetings/types.ts'
import { isPolite } from '../presence/roster.ts'
import type { Presence, Present } from '../presence/service.ts'
import { Draft, type Entry } from './draft.ts'
import { ofNegotiations } from './inbox.ts'
import * as inboxes from './inbox-store.ts'
import * as store from './store.ts'
import { tell } from './telling.ts'

interface Deps {
  clock: Clock
  events: Events
  presence: Presence
  /** After the commit, for those who wait. */
  changed(ids: string[]): void
}

/** Who is behind what is told; `connection` is the one that they did it with. */
export interface Sender {
  connection: string
  participant: string
  user: string | null
}

type Connection = Present['connections'][number]

/**
 * What happens in a meeting is told in the same inboxes as the signals, in the transaction in which it happens: so it
 * has its place among them. Somebody's `peer_joined` comes before everything of theirs, and `peer_left` after it.
 */
export function followRoster({ clock, events, presence, changed }: Deps) {
  events.on('participant.joined', async (db, { meeting_id, connection_id }, actor) => {
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    const newcomer = present?.connections.find(({ connection }) => connection === connection_id)
    if (!present || !newcomer) return
    await announce(db, present, 'peer_joined', newcomer, to => ({
      ...describe(newcomer),
      polite: isPolite(to, newcomer),
      roster_version: present.roster_version,
      inside: present.connections.length,
    }))
  })

  events.on('participant.role_changed', async (db, { meeting_id, participant_id }, actor) => {
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    if (!present) return
    for (const about of present.connections.filter(({ participant }) => participant === participant_id)) {
      await announce(db, present, 'peer_updated', about, to => ({
        ...describe(about),
        polite: isPolite(to, about),
        roster_version: present.roster_version,
        inside: present.connections.length,
      }))
    }
  })

  events.on('participant.left', async (db, event, actor) => {
    const { meeting_id, connection_id, participant_id, reason, replaced_by } = event
    afterCommit(db, () => changed([connection_id])) // who reads there is told that it is closed
    if (reason === 'meeting_ended') return // with all the others, who are not there to be told
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    const gone = await presence.findConnection(db, connection_id)
    if (!present || !gone) return
    await withdraw(db, present.connections, connection_id)
    const about = { ...gone, connection: connection_id, participant: participant_id }
    await announce(db, present, 'peer_left', about, () => ({
      connection: connection_id,
      participant: participant_id,
      reason: reason satisfies LeaveReason,
      replaced_by,
      roster_version: present.roster_version,
      inside: present.connections.length,
    }))
  })

  events.on('invitation.claimed', async (db, { meeting_id, user_id }, actor) => {
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    const theirs = present?.connections.filter(connection => connection.user_id === user_id) ?? []
    afterCommit(db, () => changed(theirs.map(({ connection }) => connection))) // the token of before is dead
  })

  const tellOfMeeting =
    (change: 'locked' | 'unlocked' | 'updated') =>
    async (db: Db, { meeting_id }: { meeting_id: string }, actor: Actor) => {
      const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
      if (!present) return
      const payload = { meeting_id, change }
      await append(db, present.connections, () => tell({ now: clock.now() }, 'meeting', payload))
    }
  events.on('meeting.locked', tellOfMeeting('locked'))
  events.on('meeting.unlocked', tellOfMeeting('unlocked'))
  events.on('meeting.updated', tellOfMeeting('updated'))

  /** In each transaction: whose hosts have been told. All that happens in it is to be seen at once. */
  const told = new WeakMap<Db, Set<string>>()

  /** Who knocks, and who has stopped to: of that they hear who can let them in. They look for themselves who waits. */
  const tellHosts = async (db: Db, { meeting_id }: { meeting_id: string }, actor: Actor) => {
    const already = told.get(db) ?? new Set()
    if (already.has(meeting_id)) return
    told.set(db, already.add(meeting_id))
    const present = await presence.listPresent(db, actor.tenant_id, meeting_id)
    const those = present?.connections.filter(({ role }) => hosts(role)) ?? []
    await append(db, those, () => tell({ now: clock.now() }, 'meeting', { meeting_id, change: 'lobby' }))
  }
  events.on('participant.knocked', tellHosts)
  events.on('participant.admitted', tellHosts)
  events.on('participant.denied', tellHosts)
  events.on('participant.stopped_waiting', tellHosts)

  presence.onForget(store)

  return {
    /**
     * What a room above tells everybody inside, or one of them, in its own transaction; who said it has it, too, on each
     * device. Returns whom it was told.
     */
    async tellAll(
      db: Db,
      { tenant_id, meeting_id }: { tenant_id: string; meeting_id: string },
      type: 'chat' | 'recording',
      payload: object,
      { from = null, only }: { from?: Sender | null; only?: string } = {},
    ): Promise<Present['connections']> {
      const present = await presence.listPresent(db, tenant_id, meeting_id)
      const told = present?.connections.filter(({ connection }) => only === undefined || connection === only) ?? []
      await append(db, told, () => tell({ now: clock.now() }, type, payload, from))
      return told
    },
  }

  /**
   * To all others; but where only hosts send, those who watch are not told who else comes and goes to watch: that would be
   * square. Of one who has become such they are told.
   */
  async function announce(
    db: Db,
    { connections, senders }: Present,
    type: 'peer_joined' | 'peer_updated' | 'peer_left',
    about: Pick<Connection, 'connection' | 'participant' | 'user_id' | 'may_send'>,
    payloadFor: (to: Connection) => object,
  ): Promise<void> {
    const concerned =
      type === 'peer_updated'
        ? connections
        : connections.filter(to => {
            const isHeardOf = senders === 'all' || about.may_send || to.may_send
            return to.connection !== about.connection && isHeardOf
          })
    const from = { connection: about.connection, participant: about.participant, user: about.user_id }
    await append(db, concerned, to => tell({ now: clock.now() }, type, payloadFor(to), from))
  }

  /** Somebody is gone: so is what is not acknowledged of their negotiations, and what stood between them and others. */
  function withdraw(db: Db, from: Connection[], sender: string): Promise<void> {
    return change(db, from, draft => {
      draft.withdraw('peer_left', entry => entry.sender === sender && ofNegotiations.has(entry.type))
      draft.forgetPair(sender)
    })
  }

  /** What is in the inboxes already does not matter: of however much that is, only the counters are read. */
  async function append(db: Db, to: Connection[], entryFor: (to: Connection) => Entry): Promise<void> {
    const entries = new Map(to.map(each => [each.connection, entryFor(each)]))
    const add = (draft: Draft) => {
      const entry = entries.get(draft.inbox.id)
      if (entry) draft.append(entry)
    }
    await change(db, to, add, inboxes.NOTHING_IN_IT)
  }

  /** As part of a transaction that is under way: so nobody may know of it before the end. */
  async function change(db: Db, of: Connection[], work: (draft: Draft) => void, since?: number): Promise<void> {
    if (of.length === 0) return
    const ids = of.map(({ connection }) => connection)
    const batch = await batchWithin(db)
    await inboxes.lock(batch, ids)
    const loaded = await inboxes.loadIn(
      batch,
      ids.map(id => ({ id, since })),
    )
    const drafts = loaded.map(each => inboxes.inboxOf(each)).flatMap(inbox => (inbox.closed ? [] : new Draft(inbox)))
    for (const draft of drafts) work(draft)
    await inboxes.save(
      batch,
      drafts.filter(draft => draft.changed),
    )
    afterCommit(db, () => changed(ids))
  }
}

function describe({ connection, participant, display_name, role, device, joined_at }: Connection) {
  return { participant: { id: participant, display_name, role }, connection, device, joined_at }
}
