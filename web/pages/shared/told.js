/**
 * What the server tells, as far as the pages look at it; all of it is in `/openapi.json`.
 *
 * @typedef {'scheduled' | 'live' | 'ended' | 'cancelled'} MeetingStatus
 * @typedef {{ scheduled_at: string | null, duration_minutes: number, time_zone: string }} Timing
 * @typedef {Timing & { id: string, title: string, description: string, status: MeetingStatus, recurrence: string | null,
 *   sequence: number }} Planned
 * @typedef {Planned & { owner_id: string | null, type: string, lobby: boolean, guests: boolean, locked: boolean,
 *   join_code: string, version: number, started_at: string | null, created_at: string }} Meeting
 * @typedef {Planned & { owner_name: string | null }} InvitedTo
 * @typedef {{ id: string, scheduled_at: string, duration_minutes: number, note: string | null, status: string }} Proposal
 * @typedef {{ id: string, meeting_id: string, user_id: string | null, email: string | null, role: string, status: string,
 *   message: string | null, note: string | null, proposals: Proposal[], meeting: InvitedTo }} Invitation
 * @typedef {{ session_id: string, participant_id: string, display_name: string, role: string, joined_at: string,
 *   left_at: string | null, end_reason: string | null, minutes: number, device: string | null }} Attendance
 * @typedef {{ id: string, session_id: string, mocked: boolean, status: 'active' | 'processing' | 'ready' | 'failed',
 *   failure: string | null, visibility: 'hosts' | 'participants', content_type: string, bytes: number,
 *   duration_s: number | null, seekable_bytes: number | null, participants: { display_name: string }[],
 *   started_at: string }} Recording
 * @typedef {{ id: string, speaker: string, start_ms: number, text: string }} Segment
 * @typedef {{ id: string, display_name: string, text: string, sent_at: string }} Message
 * @typedef {{ id: string, source: 'transcript' | 'chat', start_ms: number | null }} Cue
 * @typedef {{ version: number, session_id: string, status: 'pending' | 'ready' | 'failed', created_at: string,
 *   mocked: boolean, edited_by: string | null, based_on: number | null, reason: string | null, latest: boolean }} NotesVersion
 * @typedef {{ version: number, session_id: string, mocked: boolean, summary: string, sentiment: string,
 *   key_points: { text: string, cues: Cue[] }[],
 *   action_items: { text: string, who?: string, due?: string }[] }} Notes
 */

export {}
