import { type Db, inTransaction } from '../../db/transaction.ts'
import type { UserCaller } from '../../kernel/caller.ts'
import { hashSecret, newId } from '../../kernel/ids.ts'
import { Invalid } from '../../kernel/problem.ts'
import * as participants from '../meetings/participant-store.ts'
import { isOver, type Meeting, MeetingOver } from '../meetings/schema.ts'
import { requireHost } from '../meetings/standing.ts'
import { usualRole } from '../meetings/types.ts'
import type { Claim } from './claims.ts'
import type { Deps as Room } from './deps.ts'
import { linkToken } from './letters.ts'
import { GUEST, type Post } from './post.ts'
import { type Invitation, type Invite, TooManyInvitations } from './schema.ts'
import * as store from './store.ts'

interface Deps extends Room {
  post: Post
  claim: Claim
}

const mostPerMeeting = 1000

/** Asking people to a meeting, whether they have an account or just an address. */
export function createInvite({ db, clock, events, accounts, meetings, key, post, claim }: Deps) {
  return async function invite(me: UserCaller, meeting_id: string, body: Invite): Promise<store.InvitationRow[]> {
    return inTransaction(db, async db => {
      const { meeting } = await requireHost(db, me, meeting_id, 'lock')
      if (isOver(meeting)) throw MeetingOver()
      const invited: store.InvitationRow[] = []
      const told: store.InvitationRow[] = []
      for (const [i, invitee] of body.invitees.entries()) {
        const person = await whoIs(db, me.tenant_id, invitee, i)
        if (person.user_id !== null && person.user_id === meeting.owner_id) {
          throw invalid(i, 'is the owner, who need not be invited')
        }
        const { row, asked } = await inviteOne(db, me, meeting, person, body.message ?? null)
        invited.push(row)
        if (asked) told.push(row)
      }
      if ((await store.count(db, meeting_id)) > mostPerMeeting) throw TooManyInvitations()
      await post(db, me, meeting, told, 'invited')
      return invited
    })
  }

  async function whoIs(db: Db, tenant_id: string, invitee: Invite['invitees'][number], i: number): Promise<Person> {
    const { email, user_id, role } = invitee
    if (user_id !== undefined) {
      const user = await accounts.findUser(db, tenant_id, user_id)
      if (!user) throw invalid(i, 'is nobody who has an account here')
      return { user_id, address: user.email, email: null, name: user.name, role }
    }
    const address = email ?? ''
    const owner = await accounts.findOwnerOf(db, tenant_id, address)
    return { user_id: owner?.id ?? null, address, email: address, name: owner?.name ?? null, role }
  }

  async function inviteOne(db: Db, me: UserCaller, meeting: Meeting, person: Person, message: string | null) {
    const known = await findKnown(db, meeting, person)
    if (known) return inviteAgain(db, me, meeting, known, person, message)
    const now = clock.now()
    const id = newId('inv')
    const row: store.InvitationRow = {
      id,
      tenant_id: me.tenant_id,
      meeting_id: meeting.id,
      user_id: person.user_id,
      address: person.address,
      email: person.email,
      role: person.role ?? usualRole(meeting),
      status: 'pending',
      message,
      note: null,
      sequence: meeting.sequence,
      times_sent: 1,
      link_hash: hashSecret(linkToken(key, { id, times_sent: 1 })),
      responded_at: null,
      created_at: now,
      updated_at: now,
    }
    await store.insert(db, row)
    await addMember(db, me, meeting, row, person.name ?? GUEST)
    await events.record(db, me, { type: 'invitation.sent', meeting_id: meeting.id, invitation_id: id })
    return { row: (await store.find(db, me.tenant_id, id)) ?? row, asked: true }
  }

  /** By their account, however they came to be invited, or else by their address. */
  async function findKnown(db: Db, meeting: Meeting, { user_id, address }: Person) {
    const member = user_id === null ? undefined : await participants.findUser(db, meeting.id, user_id)
    const theirs = member?.invitation_id && (await store.find(db, member.tenant_id, member.invitation_id))
    return theirs || store.findByAddress(db, meeting.id, address)
  }

  /** Somebody may be in the meeting without an invitation, as in a quick room: they keep what they have. */
  async function addMember(db: Db, me: UserCaller, meeting: Meeting, row: store.InvitationRow, display_name: string) {
    const { id: invitation_id, tenant_id, user_id, role } = row
    const known = user_id === null ? undefined : await participants.findUser(db, meeting.id, user_id)
    if (known) {
      await participants.update(db, known.id, { invitation_id, relation: 'invitee' })
      const stays = known.state === 'inside' || known.role === 'host' || known.role === role
      if (!stays) await participants.update(db, known.id, { role })
      // The invitation says what they are, whichever of the two has decided it.
      const { meeting_id, id: participant_id } = known
      const as = stays ? known.role : role
      return events.record(db, me, { type: 'participant.role_changed', meeting_id, participant_id, role: as })
    }
    const member = {
      user_id,
      invitation_id,
      display_name,
      role,
      relation: 'invitee',
      may: mayAtFirst(meeting),
    } as const
    await meetings.addPerson(db, tenant_id, meeting, member)
  }

  /** One row for each person: it takes a new role, and who was withdrawn is invited again. Whoever is inside stays as they are. */
  async function inviteAgain(
    db: Db,
    me: UserCaller,
    meeting: Meeting,
    known: store.InvitationRow,
    { role: wanted, user_id }: Person,
    message: string | null,
  ) {
    const member = await participants.findByInvitation(db, known.id)
    if (!member) throw new Error('An invitation is nobody’s')
    if (known.user_id === null && user_id !== null) await claim(db, known, user_id)
    const role = member.state === 'inside' ? known.role : (wanted ?? known.role)
    const claimed = (await store.find(db, known.tenant_id, known.id)) ?? known
    const invitation = { ...claimed, role, updated_at: clock.now() }
    if (role !== member.role && member.role !== 'host') {
      await participants.update(db, member.id, { role })
      const { meeting_id, id: participant_id } = member
      await events.record(db, me, { type: 'participant.role_changed', meeting_id, participant_id, role })
    }
    if (known.status !== 'withdrawn') {
      await store.update(db, known.id, { role, updated_at: invitation.updated_at })
      return { row: invitation, asked: false }
    }
    const times_sent = known.times_sent + 1
    const again: store.InvitationRow = {
      ...invitation,
      status: 'pending',
      message,
      note: null,
      sequence: meeting.sequence,
      times_sent,
      link_hash: hashSecret(linkToken(key, { id: known.id, times_sent })),
      responded_at: null,
    }
    await store.update(db, known.id, again)
    await participants.update(db, member.id, { may: mayAtFirst(meeting), generation: member.generation + 1 })
    await events.record(db, me, { type: 'invitation.sent', meeting_id: meeting.id, invitation_id: known.id })
    return { row: again, asked: true }
  }
}

interface Person {
  user_id: string | null
  address: string
  email: string | null
  name: string | null
  role: Invitation['role'] | undefined
}

/** A quick room is open to anybody, so to those who are invited as well. */
const mayAtFirst = ({ owner_id }: Meeting) => (owner_id === null ? 'join' : 'see')

const invalid = (i: number, message: string) => Invalid({ errors: [{ path: `invitees.${i}`, message }] })
