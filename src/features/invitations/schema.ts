import { z } from 'zod'
import { Email, Id, Instant, listOf, oneLine, Page, paragraphs, Secret, TimeText } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'
import { Meeting } from '../meetings/schema.ts'

const Role = z.enum(['co_host', 'participant', 'viewer'])
const Status = z.enum(['pending', 'accepted', 'rejected', 'proposed', 'withdrawn'])
const Note = paragraphs(1000).meta({ examples: ['I can make it after lunch.'] })

const sequence = z
  .int()
  .min(0)
  .optional()
  .meta({ description: 'The `sequence` of the meeting that I answer to; an older one is refused' })

const Invitee = z
  .strictObject({
    email: Email.optional(),
    user_id: Id.optional(),
    role: Role.optional().meta({ description: 'A participant, if left out; where just hosts may send, a viewer' }),
  })
  .refine(({ email, user_id }) => (email === undefined) !== (user_id === undefined), 'must have email or user_id')

export const Invite = z.strictObject({
  invitees: z
    .array(Invitee)
    .min(1)
    .max(50)
    .meta({ examples: [[{ email: 'ada@example.com' }]] }),
  message: paragraphs(1000)
    .optional()
    .meta({ examples: ['Let us talk about the summer.'] }),
})
export type Invite = z.infer<typeof Invite>

export const Answer = z.strictObject({ sequence, note: Note.optional() })
export type Answer = z.infer<typeof Answer>

export const Propose = z.strictObject({
  scheduled_at: TimeText,
  duration_minutes: z.int().min(1).max(10_080).optional(),
  note: Note.optional(),
  sequence,
})
export type Propose = z.infer<typeof Propose>

export const AcceptLink = Answer.extend({
  display_name: oneLine(120)
    .optional()
    .meta({ description: 'As the others will see me', examples: ['Ada'] }),
})
export type AcceptLink = z.infer<typeof AcceptLink>

export const OfInvitation = z.object({ invitation_id: Id })
export const OfLink = z.object({ token: z.string().max(64) })
export const ListInvitations = Page.extend({ status: Status.optional() })
export type ListInvitations = z.infer<typeof ListInvitations>

export const Proposal = z
  .object({
    id: Id,
    scheduled_at: Instant,
    duration_minutes: z.int(),
    note: z.string().nullable(),
    status: z.enum(['open', 'accepted', 'declined', 'superseded']),
    created_at: Instant,
    decided_at: Instant.nullable(),
  })
  .meta({ id: 'Proposal' })
export type Proposal = z.infer<typeof Proposal>

/** What an invited person has to know of the meeting to answer. */
export const InvitedTo = Meeting.pick({
  id: true,
  title: true,
  description: true,
  status: true,
  scheduled_at: true,
  duration_minutes: true,
  time_zone: true,
  recurrence: true,
  sequence: true,
}).extend({ owner_name: z.string().nullable() })
export type InvitedTo = z.infer<typeof InvitedTo>

export const Invitation = z
  .object({
    id: Id,
    meeting_id: Id,
    user_id: Id.nullable().meta({ description: 'Whose it is; null until the address has an account' }),
    email: z.string().nullable().meta({ description: 'Null for who was invited by account' }),
    role: Role,
    status: Status,
    message: z.string().nullable(),
    note: z.string().nullable().meta({ description: 'What the invited person said last' }),
    sequence: z.int().meta({ description: 'Of the time that the status is about' }),
    proposals: z.array(Proposal).meta({ description: 'Every other time that was proposed; one at most is open' }),
    meeting: InvitedTo,
    responded_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Invitation' })
export type Invitation = z.infer<typeof Invitation>

export const Invitations = listOf(Invitation)
export const Invited = z.object({ data: z.array(Invitation) })
export const LinkAccepted = z
  .object({
    invitation: Invitation,
    participant_token: Secret.nullable().meta({
      description:
        'To join with, without an account; accept again for a new one. Null where an account has the invitation',
    }),
  })
  .meta({ id: 'LinkAccepted' })
export type LinkAccepted = z.infer<typeof LinkAccepted>

export const InviteeOnly = problem('forbidden', 'invitee_only', 'Only who is invited may answer')
export const AlreadyInMeeting = problem('conflict', 'already_in_meeting', 'Your account is in this meeting already')
export const InvitationClaimed = problem('conflict', 'invitation_claimed', 'This invitation belongs to another account')
export const TooManyProposals = problem('conflict', 'too_many_proposals', 'No more proposals; accept or reject')
export const StaleSequence = problem('conflict', 'stale_sequence', 'The meeting has moved since; look again')
export const NoProposal = problem('conflict', 'no_open_proposal', 'There is no proposal to answer')
export const TooManyInvitations = problem('conflict', 'too_many_invitations', 'As many people are invited as may be')
