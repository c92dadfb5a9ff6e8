import { z } from 'zod'
import {
  AnyInstant,
  Id,
  Instant,
  listOf,
  oneLine,
  Page,
  paragraphs,
  TimeText,
  TimeZone,
  Version,
} from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

const Type = z.enum(['individual', 'group', 'webinar', 'broadcast'])
const Kind = z.enum(['one_off', 'standing']).meta({ description: 'Ended is final, or a room that reopens' })
const Status = z.enum(['scheduled', 'live', 'ended', 'cancelled'])
const Role = z.enum(['host', 'co_host', 'participant', 'viewer'])
const Minutes = z.int().min(1).max(10_080)

const metadataLimit = 8 * 1024
const Metadata = z
  .record(z.string().max(64), z.json())
  .refine(value => JSON.stringify(value).length <= metadataLimit, `must be at most ${metadataLimit} characters as JSON`)
  .meta({ description: 'Whatever your own program wants to keep with the meeting', examples: [{ course: 'algebra' }] })

const title = oneLine(200).meta({ examples: ['Weekly'] })
const recurrence = z
  .string()
  .max(500)
  .meta({ description: 'An RFC 5545 RRULE. Occurrences keep their local time across DST', examples: ['FREQ=WEEKLY'] })

/** What a type of meeting decides, and its owner may decide otherwise. */
const settings = {
  max_participants: z.int().min(1).max(1000).meta({ description: 'People inside at the same time' }),
  lobby: z.boolean().meta({ description: 'Whether people wait until a host lets them in' }),
  senders: z.enum(['all', 'hosts']).meta({ description: 'Who may send sound and pictures' }),
  screen_share: z.enum(['all', 'hosts']),
  chat: z.enum(['all', 'hosts', 'off']),
  recording: z.enum(['off', 'manual', 'auto']),
  guests: z.boolean().meta({ description: 'Whether people without an invitation may knock with the join code' }),
  max_duration_minutes: Minutes.nullable().meta({ description: 'A session is ended after so long' }),
}
const someSettings = z.object(settings).partial().shape

export const CreateMeeting = z.strictObject({
  title,
  description: paragraphs(5000).default(''),
  scheduled_at: TimeText.optional().meta({ description: 'Without it the meeting begins at once' }),
  duration_minutes: Minutes.default(60),
  time_zone: TimeZone.optional().meta({ description: 'Mine, if left out' }),
  type: Type.default('group'),
  kind: Kind.optional(),
  recurrence: recurrence.optional(),
  ...someSettings,
  provider: z.literal('mesh').default('mesh').meta({ description: 'Who carries the media' }),
  metadata: Metadata.default({}),
})
export type CreateMeeting = z.infer<typeof CreateMeeting>

export const UpdateMeeting = z.strictObject({
  title: title.optional(),
  description: paragraphs(5000).optional(),
  scheduled_at: TimeText.optional(),
  duration_minutes: Minutes.optional(),
  time_zone: TimeZone.optional(),
  recurrence: recurrence.nullable().optional(),
  ...someSettings,
  metadata: Metadata.optional(),
})
export type UpdateMeeting = z.infer<typeof UpdateMeeting>

export const OfMeeting = z.object({ meeting_id: Id })
export const OfJoinCode = z.object({ join_code: z.string().max(64) })

export const Meeting = z
  .object({
    id: Id,
    owner_id: Id.nullable().meta({ description: 'Nobody owns a quick room' }),
    title: z.string(),
    description: z.string(),
    type: Type,
    kind: Kind,
    status: Status,
    scheduled_at: Instant.nullable(),
    duration_minutes: z.int(),
    time_zone: z.string(),
    recurrence: z.string().nullable(),
    ...settings,
    locked: z.boolean(),
    provider: z.string(),
    metadata: Metadata,
    join_code: z.string().meta({ description: 'With it anybody may knock: GET /api/join/{join_code}' }),
    sequence: z.int().meta({ description: 'Rises with every change of its time' }),
    version: Version,
    started_at: Instant.nullable().meta({ description: 'When it last went live' }),
    ended_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Meeting' })
export type Meeting = z.infer<typeof Meeting>

export const Meetings = listOf(Meeting)

const sorts = ['scheduled_at', '-scheduled_at', 'created_at', '-created_at', 'title', '-title'] as const

export const ListMeetings = Page.extend({
  role: z.enum(['owner', 'invitee', 'any']).default('any'),
  status: Status.optional(),
  from: AnyInstant.optional().meta({ description: 'Meetings that are not over by then' }),
  to: AnyInstant.optional().meta({ description: 'Meetings that begin before' }),
  q: z.string().trim().min(1).max(100).optional().meta({ description: 'Words of the title' }),
  sort: z.enum(sorts).default('-scheduled_at').meta({ description: 'What has no time counts by its creation' }),
})
export type ListMeetings = z.infer<typeof ListMeetings>

export const ListOccurrences = z.strictObject({
  from: AnyInstant.optional().meta({ description: 'Now, if left out' }),
  to: AnyInstant.optional().meta({ description: 'A year after `from`, if left out' }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})
export type ListOccurrences = z.infer<typeof ListOccurrences>

export const Occurrences = z.object({
  data: z.array(
    z
      .object({
        starts_at: Instant,
        ends_at: Instant,
        local_time: z.string().meta({ examples: ['2026-03-29T09:00:00+02:00'] }),
      })
      .meta({ id: 'Occurrence' }),
  ),
})

export const Card = z
  .object({
    title: z.string(),
    scheduled_at: Instant.nullable(),
    time_zone: z.string(),
    owner_name: z.string().nullable(),
    lobby: z.boolean(),
  })
  .meta({ id: 'JoinCard' })
export type Card = z.infer<typeof Card>

export const Participant = z
  .object({
    id: Id,
    meeting_id: Id,
    user_id: Id.nullable().meta({ description: 'Null for a guest' }),
    display_name: z.string(),
    role: Role,
    state: z.enum(['away', 'waiting', 'admitted', 'inside', 'removed', 'banned']).meta({
      description: 'Admitted is let in, and not yet come; removed may knock again, banned may not',
    }),
    waiting_since: Instant.nullable(),
  })
  .meta({ id: 'Participant' })
export type Participant = z.infer<typeof Participant>

export const isOver = ({ status }: Pick<Meeting, 'status'>): boolean => status === 'ended' || status === 'cancelled'

export const NotAdmitted = problem('forbidden', 'not_admitted', 'You are waiting: a host has to let you in')
export const HostsOnly = problem('forbidden', 'hosts_only', 'Only a host or co-host may do this')
export const OwnerOnly = problem('forbidden', 'owner_only', 'Only the owner may do this')
export const Banned = problem('forbidden', 'banned', 'A host has banned you from this meeting')
export const NeedsMediaProvider = problem(
  'conflict',
  'needs_media_provider',
  'More people than browsers can connect to each other need a media server',
)
export const InvalidTransition = problem(
  'conflict',
  'invalid_transition',
  'The meeting cannot do this from where it is',
)
export const MeetingOver = problem('conflict', 'meeting_over', 'The meeting has ended or was cancelled')
export const MeetingGone = problem('gone', 'meeting_gone', 'The meeting has ended or was cancelled')
