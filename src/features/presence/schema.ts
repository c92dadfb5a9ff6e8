import { z } from 'zod'
import { Id, Instant, idOf, listOf, oneLine, Page, Secret } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'
import { IceServer, Media } from '../media/schema.ts'
import { Participant } from '../meetings/schema.ts'

const DisplayName = oneLine(120).meta({ examples: ['Ada'] })
const device = {
  device: oneLine(80)
    .optional()
    .meta({ description: 'What I join with', examples: ['Firefox on a telephone'] }),
  medium: z.enum(['video', 'audio', 'phone']).default('video'),
}
const Reason = z.enum(['left', 'removed', 'withdrawn', 'replaced', 'timeout', 'meeting_ended'])

export const Join = z.strictObject({
  display_name: DisplayName.optional().meta({ description: 'As the others see me; my name, if left out' }),
  ...device,
  wait: z
    .int()
    .min(0)
    .max(60)
    .default(0)
    .meta({ description: 'Seconds to hold on for a host to let me in; 25 at most' }),
  replaces: z
    .strictObject({ connection: Id, resume_token: Secret.max(128) })
    .optional()
    .meta({ description: 'My connection from before a reload or a lost network: it is closed, and I am not refused' }),
})
export type Join = z.infer<typeof Join>

export const Knock = z.strictObject({ display_name: DisplayName })
export type Knock = z.infer<typeof Knock>

export const EnterRoom = Knock.extend(device)
export type EnterRoom = z.infer<typeof EnterRoom>

export const Leave = z.strictObject({
  connection: idOf('con').optional().meta({ description: 'May be left out while I have just one in this meeting' }),
  resume_token: Secret.max(128)
    .optional()
    .meta({ description: 'Instead of a bearer, for navigator.sendBeacon, which can send no header' }),
})
export type Leave = z.infer<typeof Leave>

const measure = z.number().min(0).max(1e12).optional()
export const Quality = z.strictObject({
  rtt_ms: measure,
  loss: z.number().min(0).max(1).optional().meta({ description: 'The share of packets lost' }),
  bitrate: measure.meta({ description: 'Bits per second' }),
})
export type Quality = z.infer<typeof Quality>

export const Heartbeat = z.strictObject({ connection: idOf('con').optional(), quality: Quality.optional() })
export type Heartbeat = z.infer<typeof Heartbeat>

export const Remove = z.strictObject({
  ban: z.boolean().default(false).meta({ description: 'Not to come back, by whatever way, until unbanned' }),
})
export const ChangeRole = z.strictObject({ role: z.enum(['co_host', 'participant', 'viewer']) })

export const OfParticipant = z.object({ meeting_id: Id, participant_id: Id })
export const OfRoom = z.object({
  name: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be letters, digits, - and _, 63 at most')
    .meta({ examples: ['tea'] }),
})

export const ListParticipants = Page.extend({
  state: Participant.shape.state.optional().meta({ description: 'Hosts see every state, others who is inside' }),
})
export type ListParticipants = z.infer<typeof ListParticipants>

export const Session = z
  .object({
    id: Id,
    meeting_id: Id,
    occurrence_at: Instant.nullable().meta({ description: 'The time of a series that it belongs to' }),
    started_at: Instant,
    ended_at: Instant.nullable(),
    end_reason: z.enum(['host', 'empty', 'max_duration', 'deleted']).nullable(),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof Session>

const Measured = z.object({ worst: z.number(), mean: z.number(), samples: z.int() })
export const MeasuredQuality = z.object({
  rtt_ms: Measured.optional(),
  loss: Measured.optional(),
  bitrate: Measured.optional(),
})
export type MeasuredQuality = z.infer<typeof MeasuredQuality>

export const Attendance = z
  .object({
    id: Id,
    session_id: Id,
    participant_id: Id,
    display_name: z.string(),
    role: Participant.shape.role,
    joined_at: Instant,
    left_at: Instant.nullable(),
    end_reason: Reason.nullable(),
    minutes: z.number().meta({ description: 'Until now, while it lasts; to two decimals' }),
    device: z.string().nullable(),
    medium: z.enum(['video', 'audio', 'phone']),
    quality: MeasuredQuality.nullable(),
  })
  .meta({ id: 'Attendance' })
export type Attendance = z.infer<typeof Attendance>

export const RosterEntry = z
  .object({
    participant: Id,
    connection: Id,
    display_name: z.string(),
    role: Participant.shape.role,
    device: z.string().nullable(),
    joined_at: Instant,
    polite: z
      .boolean()
      .meta({ description: 'Whether I am the polite one of us two, who gives way when our offers cross' }),
  })
  .meta({ id: 'RosterEntry' })
export type RosterEntry = z.infer<typeof RosterEntry>

export const Permissions = z
  .object({ send: z.boolean(), screen_share: z.boolean(), chat: z.boolean(), record: z.boolean() })
  .meta({ id: 'Permissions', description: 'What I may do, by my role and the settings of the meeting' })

export const Joined = z
  .object({
    participant: Participant,
    attendance: Attendance,
    connection: z.object({ id: Id, resume_token: Secret }),
    session: Session,
    role: Participant.shape.role,
    permissions: Permissions,
    roster: z.array(RosterEntry).meta({ description: 'Who else is inside, a line for each of their connections' }),
    roster_version: z.int().meta({ description: 'Rises with every change of who is inside' }),
    inbox: z.object({ cursor: z.int().meta({ description: 'Where to begin to read' }) }),
    ice_servers: z.array(IceServer),
    media: Media,
    limits: z.object({
      presence_timeout_s: z.int().meta({ description: 'Silent for so long, I have left' }),
      heartbeat_s: z.int().meta({ description: 'How often to say that I am still here' }),
      connections: z.int().meta({ description: 'How many of my devices may be inside' }),
    }),
  })
  .meta({ id: 'Joined' })
export type Joined = z.infer<typeof Joined>

/** To who waits, nothing is said of who is inside. */
export const Waiting = z.object({ participant: Participant }).meta({ id: 'Waiting' })
export type Waiting = z.infer<typeof Waiting>

export const Knocked = Waiting.extend({
  participant_token: Secret.nullable().meta({ description: 'Null for who is in this meeting by their account' }),
}).meta({ id: 'Knocked' })
export type Knocked = z.infer<typeof Knocked>

const token = { participant_token: Secret.nullable().meta({ description: 'For who came without an account' }) }
export const Entered = Joined.extend(token).meta({ id: 'Entered' })
export const WaitingToEnter = Waiting.extend(token).meta({ id: 'WaitingToEnter' })

export const Left = z.object({ attendance: Attendance.nullable() }).meta({ id: 'Left' })
export type Left = z.infer<typeof Left>

export const Heard = z
  .object({ state: Participant.shape.state, connection: Id.nullable(), roster_version: z.int().nullable() })
  .meta({ id: 'Heard' })
export type Heard = z.infer<typeof Heard>

export const Admitted = z.object({ admitted: z.int() }).meta({ id: 'Admitted' })

export const Participants = listOf(Participant)
export const Attendances = listOf(Attendance)

export const NotAccepted = problem('forbidden', 'not_accepted', 'Accept the invitation first')
export const Denied = problem('forbidden', 'denied', 'A host has not let you in; try again later')
export const NotLive = problem('conflict', 'not_live', 'The meeting has not begun')
export const NotJoined = problem('conflict', 'not_joined', 'You are not inside')
export const NotInside = problem('forbidden', 'not_inside', 'Only who is inside may see this')
export const NoSession = problem('conflict', 'no_session', 'The meeting has not taken place yet')
export const NotThere = problem('forbidden', 'not_there', 'Only who was there may do this')
export const MeetingLocked = problem('conflict', 'meeting_locked', 'The meeting is locked: nobody new comes in')
export const MeetingFull = problem('conflict', 'meeting_full', 'As many people are inside as may be')
export const LobbyFull = problem('conflict', 'lobby_full', 'Too many people are waiting already')
export const GuestsRefused = problem('forbidden', 'guests_refused', 'This meeting is for invited people only')
export const TooManyConnections = problem('conflict', 'too_many_connections', 'You are inside on too many devices')
export const ConnectionRequired = problem('conflict', 'connection_required', 'Say which of your connections is meant')
export const ConnectionClosed = problem('gone', 'connection_closed', 'This connection is closed')
export const NotWaiting = problem('conflict', 'not_waiting', 'This person is not waiting')
export const HostStays = problem('forbidden', 'host_stays', 'The host cannot be shown out or made less')
