import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor } from '../../events/events.ts'
import type { Caller, UserCaller } from '../../kernel/caller.ts'
import { hashSecret, newId } from '../../kernel/ids.ts'
import { Invalid, NotFound } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { Banned, InvalidTransition, isOver, type Meeting, MeetingOver } from '../meetings/schema.ts'
import { changedTiming } from '../meetings/timing.ts'
import type { Deps as Room } from './deps.ts'
import {
  type AcceptLink,
  AlreadyInMeeting,
  type Answer,
  type Invitation,
  InvitationClaimed,
  InviteeOnly,
  type LinkAccepted,
  type Propose,
  StaleSequence,
  TooManyProposals,
} from './schema.ts'
import { findSeen } from './seeing.ts'
import * as store from './store.ts'

interface Deps extends Pick<Room, 'db' | 'clock' | 'events' | 'meetings'> {
  show(row: store.InvitationRow): Promise<Invitation>
  claim(db: Db, row: store.InvitationRow, user_id: string): Promise<boolean>
}

const mostProposals = 50

/** An invitation, whose it is, and what it is to, all of them kept as they are until the answer is given. */
interface Asked {
  row: store.InvitationRow
  person: participants.ParticipantRow
  meeting: Meeting
  /** Who answers. */
  actor: Actor
}

/**
 * What an invited person can say, with their account or by the link of their mail. Answers may change until the meeting
 * is over; one that is about an older time is refused.
 */
export function createAnswers({ db, clock, events, meetings, show, claim }: Deps) {
  const mine = (me: UserCaller, id: string) => async () => {
    const { row, mine } = await findSeen(db, me, id)
    if (!mine) throw InviteeOnly()
    return row
  }
  const linked = (token: string) => async () => {
    const row = await store.findByLink(db, hashSecret(token))
    if (!row || row.status === 'withdrawn') throw NotFound()
    const person = await participants.findByInvitation(db, row.id)
    if (person?.state === 'banned') throw Banned()
    return row
  }

  return {
    accept: (me: UserCaller, id: string, body: Answer) => answer(mine(me, id), body, accept),
    reject: (me: UserCaller, id: string, body: Answer) => answer(mine(me, id), body, reject),
    propose: (me: UserCaller, id: string, body: Propose) => answer(mine(me, id), body, propose),

    getByLink: async (token: string) => show(await linked(token)()),
    rejectByLink: (token: string, body: Answer) => answer(linked(token), body, reject),
    proposeByLink: (token: string, body: Propose) => answer(linked(token), body, propose),

    /**
     * Whoever shows the link has read the mail: with an account, the invitation becomes theirs. From then on it is with
     * that account that they come in; the link is good for an answer, and for nobody's token.
     */
    async acceptByLink(
      caller: Caller | undefined,
      token: string,
      { display_name, ...body }: AcceptLink,
    ): Promise<LinkAccepted> {
      const invitation = await answer(linked(token), body, async (db, asked) => {
        const { row, person } = asked
        const user_id = caller?.kind === 'user' && caller.tenant_id === row.tenant_id ? caller.user_id : undefined
        if (row.user_id === null && user_id !== undefined) {
          if (!(await claim(db, row, user_id))) throw AlreadyInMeeting()
        } else if (row.user_id !== null && user_id !== undefined && row.user_id !== user_id) {
          throw InvitationClaimed()
        } else if (row.user_id === null && display_name !== undefined) {
          await participants.update(db, person.id, { display_name })
        }
        await accept(db, asked, body)
      })
      const guest = await participants.findByInvitation(db, invitation.id)
      if (!guest) throw NotFound()
      return { invitation, participant_token: invitation.user_id === null ? meetings.guestToken(guest) : null }
    },
  }

  async function answer<Body extends Answer>(
    find: () => Promise<store.InvitationRow>,
    body: Body,
    give: (db: Db, asked: Asked, body: Body) => Promise<void>,
  ): Promise<Invitation> {
    const { id, tenant_id, meeting_id } = await find()
    const answered = await inTransaction(db, async db => {
      const meeting = await meetings.lockFor(db, tenant_id, meeting_id)
      const row = await store.find(db, tenant_id, id)
      const person = await participants.findByInvitation(db, id)
      if (!meeting || !row || !person || row.status === 'withdrawn') throw NotFound()
      if (isOver(meeting)) throw MeetingOver()
      if (body.sequence !== undefined && body.sequence < meeting.sequence) throw StaleSequence()
      if (body.sequence !== undefined && body.sequence > meeting.sequence) {
        throw Invalid({ errors: [{ path: 'sequence', message: 'is ahead of the meeting' }] })
      }
      if (person.state === 'banned') throw Banned()
      await give(db, { row, person, meeting, actor: actorOf(row, person) }, body)
      return (await store.find(db, tenant_id, id)) ?? row
    })
    return show(answered)
  }

  async function accept(db: Db, { row, person, meeting, actor }: Asked, { note }: Answer): Promise<void> {
    if (!(await settle(db, { row, person, meeting, actor }, 'accepted', note))) return
    await participants.update(db, person.id, { may: 'join' })
    await events.record(db, actor, { type: 'invitation.accepted', ...idsOf(row), participant_id: person.id })
  }

  async function reject(db: Db, { row, person, meeting, actor }: Asked, { note }: Answer): Promise<void> {
    if (!(await settle(db, { row, person, meeting, actor }, 'rejected', note))) return
    if (meeting.owner_id !== null) await participants.update(db, person.id, { may: 'see' }) // a quick room is open to all
    await events.record(db, actor, { type: 'invitation.rejected', ...idsOf(row), participant_id: person.id })
  }

  /** A newer proposal takes the place of the older, which stays to be read. */
  async function propose(db: Db, { row, person, meeting, actor }: Asked, { note, ...body }: Propose): Promise<void> {
    const { scheduled_at, duration_minutes } = body
    const timing = changedTiming(clock.now(), meeting, { scheduled_at, duration_minutes })
    if (!timing?.scheduled_at) {
      throw Invalid({ errors: [{ path: 'scheduled_at', message: 'is the time that it has' }] })
    }
    if (meeting.status !== 'scheduled' || meeting.owner_id === null) throw InvalidTransition()
    if ((await store.countProposals(db, row.id)) >= mostProposals) throw TooManyProposals()
    const now = clock.now()
    await store.settleProposals(db, { invitation_id: row.id }, 'superseded', now)
    const proposal: store.ProposalRow = {
      id: newId('prp'),
      tenant_id: row.tenant_id,
      invitation_id: row.id,
      meeting_id: row.meeting_id,
      sequence: meeting.sequence,
      scheduled_at: timing.scheduled_at,
      duration_minutes: timing.duration_minutes,
      note: note ?? null,
      status: 'open',
      created_at: now,
      decided_at: null,
    }
    await store.insertProposal(db, proposal)
    const answered = { status: 'proposed' as const, note: note ?? null, responded_at: now, updated_at: now }
    await store.update(db, row.id, { ...answered, sequence: meeting.sequence })
    await participants.update(db, person.id, { may: 'see' })
    await events.record(db, actor, { type: 'proposal.made', ...idsOf(row), proposal_id: proposal.id })
  }

  /** False when that is what they said already. */
  async function settle(db: Db, { row, meeting }: Asked, status: 'accepted' | 'rejected', note: string | undefined) {
    const now = clock.now()
    const said = { sequence: meeting.sequence, note: note ?? row.note, updated_at: now }
    const { sequence } = meeting
    if (row.status === status && row.sequence === sequence && said.note === row.note) return false
    await store.settleProposals(db, { invitation_id: row.id }, 'superseded', now)
    await store.update(db, row.id, { ...said, status, responded_at: now })
    return true
  }
}

const idsOf = ({ id, meeting_id }: store.InvitationRow) => ({ meeting_id, invitation_id: id })

/** Who answers by a link answers as who is invited, and not as whoever is logged in. */
const actorOf = ({ tenant_id, user_id }: store.InvitationRow, person: participants.ParticipantRow): Actor =>
  user_id === null ? { kind: 'guest', tenant_id, participant_id: person.id } : { kind: 'user', tenant_id, user_id }
