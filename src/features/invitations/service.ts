import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor } from '../../events/events.ts'
import type { UserCaller } from '../../kernel/caller.ts'
import { NotFound } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { isOver, type Meeting } from '../meetings/schema.ts'
import { requireHost, requireOwner } from '../meetings/standing.ts'
import { changedTiming, placeInAgenda } from '../meetings/timing.ts'
import { createAnswers } from './answers.ts'
import { createClaims } from './claims.ts'
import type { Deps } from './deps.ts'
import { createInvite } from './invite.ts'
import { createPost } from './post.ts'
import { type Invitation, type Invite, type ListInvitations, NoProposal } from './schema.ts'
import { findSeen } from './seeing.ts'
import * as store from './store.ts'

export type Invitations = ReturnType<typeof createInvitations>

/** Asking people, and hearing from them. Every change is made under the lock of the meeting. */
export function createInvitations(deps: Deps) {
  const { db, clock, events, meetings } = deps
  const post = createPost(deps)
  const claims = createClaims(deps)
  const inviteAll = createInvite({ ...deps, post, claim: claims.claim })
  listen()

  return {
    ...createAnswers({ ...deps, show: showOne, claim: claims.claim }),

    async invite(me: UserCaller, meeting_id: string, body: Invite): Promise<{ data: Invitation[] }> {
      return { data: await show(me.tenant_id, await inviteAll(me, meeting_id, body)) }
    },

    async listOfMeeting(me: UserCaller, meeting_id: string, query: ListInvitations) {
      await requireHost(db, me, meeting_id)
      const { data, next_cursor } = await store.listOfMeeting(db, meeting_id, query)
      return { data: await show(me.tenant_id, data), next_cursor }
    },

    async listMine(me: UserCaller, query: ListInvitations) {
      const { data, next_cursor } = await store.listOfUser(db, me, query)
      return { data: await show(me.tenant_id, data), next_cursor }
    },

    /** For who is invited, and for who invites. */
    async get(me: UserCaller, invitation_id: string): Promise<Invitation> {
      const { row } = await findSeen(db, me, invitation_id)
      return showOne(row)
    },

    /** At once: who is inside is out, and the link is dead. Repeating it changes nothing. */
    async withdraw(me: UserCaller, invitation_id: string): Promise<void> {
      await inTransaction(db, async db => {
        const { meeting_id } = (await findSeen(db, me, invitation_id)).row
        const { meeting } = await requireHost(db, me, meeting_id, 'lock')
        const row = await store.find(db, me.tenant_id, invitation_id)
        const person = await participants.findByInvitation(db, invitation_id)
        const changes = { status: 'withdrawn' as const, updated_at: clock.now() }
        if (!row || !person || !(await store.change(db, invitation_id, standing, changes))) return
        await store.settleProposals(db, { invitation_id }, 'superseded', clock.now())
        await participants.update(db, person.id, { may: 'nothing' })
        const participant_id = person.id
        await events.record(db, me, {
          type: 'invitation.withdrawn',
          meeting_id: meeting.id,
          invitation_id,
          participant_id,
        })
        if (row.status !== 'rejected' && !isOver(meeting)) await post(db, me, meeting, [row], 'withdrawn')
      })
    },

    /** The meeting moves to the time that this person proposed; they come, and the others are asked again. */
    async acceptProposal(me: UserCaller, invitation_id: string): Promise<Invitation> {
      const row = await onProposal(me, invitation_id, async (db, meeting, invitation, proposal) => {
        const { scheduled_at, duration_minutes } = proposal
        const timing = changedTiming(clock.now(), meeting, { scheduled_at, duration_minutes })
        await store.settleProposals(db, { id: proposal.id }, 'accepted', clock.now())
        if (timing) await meetings.move(db, me, meeting, timing)
        const answer = { status: 'accepted' as const, sequence: meeting.sequence + (timing ? 1 : 0) }
        await store.change(db, invitation_id, standing, { ...answer, updated_at: clock.now() })
        const person = await participants.findByInvitation(db, invitation_id)
        if (person) await participants.update(db, person.id, { may: 'join' })
        const { meeting_id } = invitation
        await events.record(db, me, { type: 'proposal.accepted', meeting_id, invitation_id, proposal_id: proposal.id })
      })
      return showOne(row)
    },

    async declineProposal(me: UserCaller, invitation_id: string): Promise<Invitation> {
      const row = await onProposal(me, invitation_id, async (db, _meeting, { meeting_id }, { id: proposal_id }) => {
        await store.settleProposals(db, { id: proposal_id }, 'declined', clock.now())
        await store.change(db, invitation_id, ['proposed'], { status: 'pending', updated_at: clock.now() })
        await events.record(db, me, { type: 'proposal.declined', meeting_id, invitation_id, proposal_id })
      })
      return showOne(row)
    },

    jobs: claims.jobs,
  }

  async function onProposal(
    me: UserCaller,
    invitation_id: string,
    work: (db: Db, meeting: Meeting, invitation: store.InvitationRow, proposal: store.ProposalRow) => Promise<void>,
  ): Promise<store.InvitationRow> {
    return inTransaction(db, async db => {
      const { meeting_id } = (await findSeen(db, me, invitation_id)).row
      const { meeting } = await requireOwner(db, me, meeting_id, 'lock')
      const row = await store.find(db, me.tenant_id, invitation_id)
      const proposal = await store.findOpenProposal(db, invitation_id)
      if (!row || !proposal) throw NoProposal()
      await work(db, meeting, row, proposal)
      return (await store.find(db, me.tenant_id, invitation_id)) ?? row
    })
  }

  function listen(): void {
    events.on('meeting.moved', (db, { meeting_id }, actor) => askAgain(db, actor, meeting_id))
    events.on('meeting.cancelled', (db, { meeting_id }, actor) => callOff(db, actor, meeting_id))
    events.on('meeting.deleted', async (db, { meeting_id }, actor) => {
      const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
      if (meeting && !isOver(meeting)) await callOff(db, actor, meeting_id)
    })
    events.on('participant.role_changed', async (db, { meeting_id, participant_id, role }) => {
      const person = await participants.find(db, meeting_id, participant_id)
      if (person?.invitation_id && role !== 'host') await store.update(db, person.invitation_id, { role })
    })
  }

  /** Who had accepted another time has to say so again, and until then does not come in. */
  async function askAgain(db: Db, actor: Actor, meeting_id: string): Promise<void> {
    const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
    if (!meeting) return
    await store.settleProposals(db, { meeting_id }, 'superseded', clock.now())
    const rows = await store.listIn(db, meeting_id, notRejected)
    const ids = rows.map(({ id }) => id)
    await store.askAgain(db, ids, meeting.sequence, clock.now())
    await participants.setMay(db, ids, 'see')
    await post(db, actor, meeting, rows, 'moved')
  }

  /** What has been, or was called off before, need not be called off. */
  async function callOff(db: Db, actor: Actor, meeting_id: string): Promise<void> {
    const isPast = (meeting: Meeting) => placeInAgenda(meeting, meeting).over_at <= clock.now()
    const meeting = await meetings.findFor(db, actor.tenant_id, meeting_id)
    if (!meeting || meeting.owner_id === null || meeting.status === 'ended' || isPast(meeting)) return
    await post(db, actor, meeting, await store.listIn(db, meeting_id, notRejected), 'cancelled')
  }

  async function showOne(row: store.InvitationRow): Promise<Invitation> {
    const [shown] = await show(row.tenant_id, [row])
    if (!shown) throw NotFound()
    return shown
  }

  /** Each with its proposals, and with what there is to know of its meeting. */
  async function show(tenant_id: string, rows: store.InvitationRow[]): Promise<Invitation[]> {
    const proposals = await store.listProposals(
      db,
      rows.map(({ id }) => id),
    )
    const about = await meetings.summaries(
      tenant_id,
      rows.map(({ meeting_id }) => meeting_id),
    )
    return rows.flatMap(row => {
      const { tenant_id: _, address: __, times_sent: ___, link_hash: ____, ...shown } = row
      const meeting = about.get(row.meeting_id)
      const its = proposals.filter(({ invitation_id }) => invitation_id === row.id).map(shownProposal)
      return meeting ? [{ ...shown, proposals: its, meeting }] : []
    })
  }
}

const notRejected: store.Status[] = ['pending', 'accepted', 'proposed']
const standing: store.Status[] = [...notRejected, 'rejected']

function shownProposal(row: store.ProposalRow): Invitation['proposals'][number] {
  const { id, scheduled_at, duration_minutes, note, status, created_at, decided_at } = row
  return { id, scheduled_at, duration_minutes, note, status, created_at, decided_at }
}
