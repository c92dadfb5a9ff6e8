import type { Knex } from 'knex'
import * as tenants from './0001_tenants.ts'
import * as users from './0002_users.ts'
import * as logins from './0003_logins.ts'
import * as refreshTokens from './0004_refresh_tokens.ts'
import * as events from './0005_events.ts'
import * as jobs from './0006_jobs.ts'
import * as idempotencyKeys from './0007_idempotency_keys.ts'
import * as mails from './0008_mails.ts'
import * as eventsOfAMeeting from './0009_events_of_a_meeting.ts'
import * as meetings from './0010_meetings.ts'
import * as invitations from './0011_invitations.ts'
import * as meetingParticipants from './0012_meeting_participants.ts'
import * as presence from './0013_presence.ts'
import * as usersByAge from './0014_users_by_age.ts'
import * as inboxes from './0015_inboxes.ts'
import * as whatChangedSince from './0016_what_changed_since.ts'
import * as messages from './0017_messages.ts'
import * as transcripts from './0018_transcripts.ts'
import * as recordings from './0019_recordings.ts'
import * as aiNotes from './0020_ai_notes.ts'

/** In the order in which they run. Append only: what has been merged is history. */
export const migrations: { [name: string]: Knex.Migration } = {
  '0001_tenants': tenants,
  '0002_users': users,
  '0003_logins': logins,
  '0004_refresh_tokens': refreshTokens,
  '0005_events': events,
  '0006_jobs': jobs,
  '0007_idempotency_keys': idempotencyKeys,
  '0008_mails': mails,
  '0009_events_of_a_meeting': eventsOfAMeeting,
  '0010_meetings': meetings,
  '0011_invitations': invitations,
  '0012_meeting_participants': meetingParticipants,
  '0013_presence': presence,
  '0014_users_by_age': usersByAge,
  '0015_inboxes': inboxes,
  '0016_what_changed_since': whatChangedSince,
  '0017_messages': messages,
  '0018_transcripts': transcripts,
  '0019_recordings': recordings,
  '0020_ai_notes': aiNotes,
}
