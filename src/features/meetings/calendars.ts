import type { Db } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import { localTimeOf } from '../../kernel/local-time.ts'
import type { Accounts } from '../accounts/service.ts'
import { toICalendar } from './calendar.ts'
import { occurrencesBetween } from './recurrence.ts'
import type { ListOccurrences, Meeting } from './schema.ts'
import { requireVisible } from './standing.ts'
import { endOf } from './timing.ts'

interface Deps {
  db: Db
  clock: Clock
  accounts: Accounts
  /** Who calendars are told invites: the owner's name, at this address. */
  mail_address: string
}

export type Calendars = ReturnType<typeof createCalendars>

/** When a meeting is, for people and for their calendars. */
export function createCalendars({ db, clock, accounts, mail_address }: Deps) {
  return {
    async listOccurrences(me: Caller, meeting_id: string, { from = clock.now(), to, limit }: ListOccurrences) {
      const { meeting } = await requireVisible(db, me, meeting_id)
      return { data: occurrencesOf(meeting, from, to ?? yearAfter(from), limit) }
    },

    async calendarOf(me: Caller, meeting_id: string): Promise<string> {
      const { meeting } = await requireVisible(db, me, meeting_id)
      return toICalendar({ ...(await eventOf(db, me.tenant_id, meeting)), attendees: [] }, 'PUBLISH', clock.now())
    },

    eventOf,
  }

  /** A meeting as calendars see it. The owner's own address is nobody's business: answers go to ours. */
  async function eventOf(db: Db, tenant_id: string, meeting: Meeting) {
    const { id, sequence, title, description, duration_minutes, time_zone, recurrence, created_at, updated_at } =
      meeting
    const names = await accounts.namesOf(db, tenant_id, [meeting.owner_id])
    return {
      uid: `${id}@parley`,
      sequence,
      title,
      description,
      starts_at: meeting.scheduled_at ?? meeting.started_at ?? created_at,
      duration_minutes,
      time_zone,
      recurrence,
      cancelled: meeting.status === 'cancelled',
      organizer: { name: names.get(meeting.owner_id) ?? 'Parley', email: mail_address },
      url: null,
      created_at,
      updated_at,
    }
  }
}

function occurrencesOf(meeting: Meeting, from: string, to: string, limit: number) {
  const { scheduled_at, recurrence, time_zone, duration_minutes } = meeting
  if (scheduled_at === null) return []
  const once = { starts_at: scheduled_at, local_time: localTimeOf(scheduled_at, time_zone) }
  const found =
    recurrence === null
      ? [once].filter(({ starts_at }) => from <= starts_at && starts_at < to)
      : occurrencesBetween({ scheduled_at, recurrence, time_zone }, from, to, limit)
  return found.map(({ starts_at, local_time }) => {
    return { starts_at, ends_at: endOf(starts_at, duration_minutes), local_time }
  })
}

const yearAfter = (from: string): string => new Date(Date.parse(from) + 366 * 24 * 3600 * 1000).toISOString()
