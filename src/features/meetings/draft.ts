import type { UserCaller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { newId } from '../../kernel/ids.ts'
import { Invalid } from '../../kernel/problem.ts'
import { newJoinCode } from './join-codes.ts'
import type { CreateMeeting } from './schema.ts'
import type { MeetingRow } from './store.ts'
import { readRecurrence, readTimeAhead } from './timing.ts'
import { meetingTypes } from './types.ts'

/** A meeting as its owner wants it: what they say goes before what its type says. */
export function draftMeeting(clock: Clock, me: UserCaller, body: CreateMeeting, time_zone: string): MeetingRow {
  const { scheduled_at: text, recurrence: rule, type, kind, ...given } = body
  const scheduled_at = text === undefined ? null : readTimeAhead(clock.now(), text, time_zone)
  const timing = { scheduled_at, duration_minutes: given.duration_minutes, time_zone, recurrence: null }
  const recurrence = rule === undefined ? null : readRecurrence(rule, timing)
  if (recurrence !== null && kind === 'one_off') {
    throw Invalid({ errors: [{ path: 'kind', message: 'must be standing, or left out, for a recurrence' }] })
  }
  return {
    ...blank(clock, me.tenant_id),
    ...meetingTypes[type],
    ...given,
    ...timing,
    owner_id: me.user_id,
    type,
    kind: kind ?? (recurrence === null ? 'one_off' : 'standing'),
    recurrence,
  }
}

/** A quick room: nobody's, and always there. */
export const draftRoom = (clock: Clock, tenant_id: string, room_name: string): MeetingRow => ({
  ...blank(clock, tenant_id),
  ...meetingTypes.group,
  title: room_name,
  room_name,
  type: 'group',
  kind: 'standing',
})

function blank(clock: Clock, tenant_id: string) {
  const now = clock.now()
  return {
    id: newId('mtg'),
    tenant_id,
    owner_id: null,
    description: '',
    status: 'scheduled' as const,
    scheduled_at: null,
    duration_minutes: 60,
    time_zone: 'UTC',
    recurrence: null,
    max_duration_minutes: null,
    guests: true,
    locked: false,
    provider: 'mesh' as const,
    metadata: {},
    join_code: newJoinCode(),
    room_name: null,
    sequence: 0,
    version: 1,
    started_at: null,
    ended_at: null,
    created_at: now,
    updated_at: now,
  }
}
