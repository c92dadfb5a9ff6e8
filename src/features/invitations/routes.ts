import { nothing, perAccount, perAddress, route } from '../../http/route.ts'
import { NotFound } from '../../kernel/problem.ts'
import { Banned, HostsOnly, InvalidTransition, MeetingOver, OfMeeting, OwnerOnly } from '../meetings/schema.ts'
import {
  AcceptLink,
  AlreadyInMeeting,
  Answer,
  Invitation,
  InvitationClaimed,
  Invitations,
  Invite,
  Invited,
  InviteeOnly,
  LinkAccepted,
  ListInvitations,
  NoProposal,
  OfInvitation,
  OfLink,
  Propose,
  StaleSequence,
  TooManyInvitations,
  TooManyProposals,
} from './schema.ts'
import type { Invitations as Service } from './service.ts'

const byLink = [NotFound, Banned, MeetingOver, StaleSequence]
const answers = [...byLink, InviteeOnly]
const answer = {
  access: 'user',
  params: OfInvitation,
  reply: { 200: Invitation },
  limits: [perAccount(60, 60)],
} as const
const linkAnswer = { access: 'anyone', params: OfLink, limits: [perAddress(120, 60)] } as const

export const invitationRoutes = (invitations: Service) => [
  route('POST /api/meetings/:meeting_id/invitations', {
    summary: 'Invite people',
    description:
      'By account or by mail address. Each gets a mail with a calendar entry and a link to answer by. Who is invited ' +
      'already keeps their invitation, and who was withdrawn is invited again.',
    access: 'user',
    params: OfMeeting,
    body: Invite,
    reply: { 201: Invited },
    problems: [NotFound, HostsOnly, MeetingOver, TooManyInvitations],
    idempotent: true,
    location: ({ data: [first] }) => first && `/api/meetings/${first.meeting_id}/invitations`,
    limits: [perAccount(120, 3600)], // each may be fifty mails
    handle: ({ caller, params, body }) => invitations.invite(caller, params.meeting_id, body),
  }),
  route('GET /api/meetings/:meeting_id/invitations', {
    summary: 'List who is invited',
    description: 'With what they answered, and the other times that they propose, side by side.',
    access: 'user',
    params: OfMeeting,
    query: ListInvitations,
    reply: { 200: Invitations },
    problems: [NotFound, HostsOnly],
    handle: ({ caller, params, query }) => invitations.listOfMeeting(caller, params.meeting_id, query),
  }),
  route('GET /api/invitations', {
    summary: 'List my invitations',
    access: 'user',
    query: ListInvitations,
    reply: { 200: Invitations },
    handle: ({ caller, query }) => invitations.listMine(caller, query),
  }),
  route('GET /api/invitations/:invitation_id', {
    summary: 'Read an invitation',
    access: 'user',
    params: OfInvitation,
    reply: { 200: Invitation },
    problems: [NotFound],
    handle: ({ caller, params }) => invitations.get(caller, params.invitation_id),
  }),
  route('DELETE /api/invitations/:invitation_id', {
    summary: 'Withdraw an invitation',
    description: 'At once: who is inside is out, and the link of the mail is dead.',
    access: 'user',
    params: OfInvitation,
    reply: { 204: nothing },
    problems: [NotFound, HostsOnly],
    limits: [perAccount(60, 60)],
    handle: ({ caller, params }) => invitations.withdraw(caller, params.invitation_id),
  }),
  route('POST /api/invitations/:invitation_id/accept', {
    ...answer,
    summary: 'Accept an invitation',
    body: Answer,
    problems: answers,
    handle: ({ caller, params, body }) => invitations.accept(caller, params.invitation_id, body),
  }),
  route('POST /api/invitations/:invitation_id/reject', {
    ...answer,
    summary: 'Reject an invitation',
    description: 'I may change my mind until the meeting is over.',
    body: Answer,
    problems: answers,
    handle: ({ caller, params, body }) => invitations.reject(caller, params.invitation_id, body),
  }),
  route('POST /api/invitations/:invitation_id/propose', {
    ...answer,
    summary: 'Propose another time',
    description: 'It takes the place of my earlier proposal, which stays in the history.',
    body: Propose,
    problems: [...answers, InvalidTransition, TooManyProposals],
    handle: ({ caller, params, body }) => invitations.propose(caller, params.invitation_id, body),
  }),
  route('POST /api/invitations/:invitation_id/proposal/accept', {
    ...answer,
    summary: 'Accept a proposed time',
    description: 'The meeting moves, the one who proposed it comes, and the others are asked again.',
    problems: [NotFound, OwnerOnly, NoProposal, InvalidTransition],
    handle: ({ caller, params }) => invitations.acceptProposal(caller, params.invitation_id),
  }),
  route('POST /api/invitations/:invitation_id/proposal/decline', {
    ...answer,
    summary: 'Decline a proposed time',
    description: 'The invitation is pending again.',
    problems: [NotFound, OwnerOnly, NoProposal],
    handle: ({ caller, params }) => invitations.declineProposal(caller, params.invitation_id),
  }),
  route('GET /api/invitations/link/:token', {
    ...linkAnswer,
    summary: 'Read an invitation by the link of its mail',
    reply: { 200: Invitation },
    problems: [NotFound, Banned],
    handle: ({ params }) => invitations.getByLink(params.token),
  }),
  route('POST /api/invitations/link/:token/accept', {
    ...linkAnswer,
    summary: 'Accept by the link of the mail',
    description:
      'The answer has a token to join with. Sent with the token of an account, the invitation becomes that account’s, and ' +
      'one joins with it.',
    access: 'optional',
    body: AcceptLink,
    reply: { 200: LinkAccepted },
    problems: [...byLink, AlreadyInMeeting, InvitationClaimed],
    handle: ({ caller, params, body }) => invitations.acceptByLink(caller, params.token, body),
  }),
  route('POST /api/invitations/link/:token/reject', {
    ...linkAnswer,
    summary: 'Reject by the link of the mail',
    body: Answer,
    reply: { 200: Invitation },
    problems: byLink,
    handle: ({ params, body }) => invitations.rejectByLink(params.token, body),
  }),
  route('POST /api/invitations/link/:token/propose', {
    ...linkAnswer,
    summary: 'Propose another time by the link of the mail',
    body: Propose,
    reply: { 200: Invitation },
    problems: [...byLink, InvalidTransition, TooManyProposals],
    handle: ({ params, body }) => invitations.proposeByLink(params.token, body),
  }),
]
