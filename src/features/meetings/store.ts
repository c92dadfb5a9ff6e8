import { encode } from '../../db/codecs.ts'
import { type Paged, pageOf } from '../../db/pages.ts'
import type { Db } from '../../db/transaction.ts'
import { type ListMeetings, Meeting } from './schema.ts'

/** A meeting as it is kept: `room_name` is what a quick room is found by. */
export interface MeetingRow extends Meeting {
  tenant_id: string
  room_name: string | null
}

export type Status = Meeting['status']

const meetings = (db: Db) => db<MeetingRow>('meetings')
const agenda = (db: Db) => db<AgendaRow>('meeting_participants')

/** What is shown; the rest of a row is our own affair. */
const shown = Object.keys(Meeting.shape) as (keyof Meeting)[]

export async function insert(db: Db, meeting: MeetingRow): Promise<void> {
  await meetings(db).insert(encode(meeting))
}

/** False when there is a quick room of that name already. */
export async function insertRoom(db: Db, meeting: MeetingRow): Promise<boolean> {
  await meetings(db).insert(encode(meeting)).onConflict(['tenant_id', 'room_name']).ignore()
  return (await meetings(db).where({ id: meeting.id }).first('id')) !== undefined
}

export const find = (db: Db, tenant_id: string, id: string): Promise<Meeting | undefined> =>
  meetings(db).where({ tenant_id, id }).first(shown)

/** Nobody else changes the meeting, or who is in it, until this transaction ends. */
export const lock = (db: Db, tenant_id: string, id: string): Promise<Meeting | undefined> =>
  meetings(db).where({ tenant_id, id }).forUpdate().first(shown)

/** The code is random enough to be asked for without saying in which tenant. */
export const findByCode = (db: Db, join_code: string): Promise<MeetingRow | undefined> =>
  meetings(db).where({ join_code }).first()

export const findRoom = (db: Db, tenant_id: string, room_name: string): Promise<MeetingRow | undefined> =>
  meetings(db).where({ tenant_id, room_name }).first()

/** True for whoever finds the meeting in one of these states. Everything that can be seen raises the version. */
export async function change(db: Db, id: string, from: Status[], changes: Partial<MeetingRow>): Promise<boolean> {
  const changed = await meetings(db)
    .where({ id })
    .whereIn('status', from)
    .update(encode(changes))
    .increment('version', 1)
  return changed === 1
}

export async function remove(db: Db, id: string): Promise<void> {
  await meetings(db).where({ id }).delete()
}

/** How a meeting stands in the agenda of each of its people. */
export interface AgendaRow {
  tenant_id: string
  user_id: string | null
  meeting_id: string
  relation: 'owner' | 'invitee' | 'guest'
  may: 'join' | 'see' | 'knock' | 'nothing'
  title_key: string
  starts_at: string
  over_at: string
  meeting_created_at: string
}

export async function updateAgenda(
  db: Db,
  meeting_id: string,
  place: Partial<Pick<AgendaRow, 'title_key' | 'starts_at' | 'over_at'>>,
): Promise<void> {
  await agenda(db).where({ meeting_id }).update(place)
}

const sortedBy = { scheduled_at: 'starts_at', created_at: 'meeting_created_at', title: 'title_key' } as const

/** My meetings, off an index of my own rows: what others have is never touched. */
export async function list(
  db: Db,
  me: { tenant_id: string; user_id: string },
  { role, status, from, to, q, sort, ...page }: ListMeetings,
): Promise<Paged<Meeting>> {
  const direction = sort.startsWith('-') ? 'desc' : 'asc'
  const column = sortedBy[sort.replace('-', '') as keyof typeof sortedBy]
  const mine = agenda(db)
    .where({ tenant_id: me.tenant_id, user_id: me.user_id })
    .whereIn('relation', role === 'any' ? ['owner', 'invitee'] : [role])
    .whereNot('may', 'nothing')
    .whereNot('state', 'banned')
    .select('meeting_id', column)
  if (from) mine.where('over_at', '>', from)
  if (to) mine.where('starts_at', '<', to)
  if (q) mine.whereRaw("title_key LIKE ? ESCAPE '!'", [`%${titleKey(q).replace(/[!%_]/g, '!$&')}%`])
  // Asked of each of mine: a list of all that have the status would grow with other people's.
  if (status)
    mine.whereExists(
      meetings(db).where('meetings.id', db.ref('meeting_participants.meeting_id')).where({ status }).select('id'),
    )

  const { data, next_cursor } = await pageOf<AgendaRow>(mine, { [column]: direction, meeting_id: direction }, page)
  const ids = data.map(({ meeting_id }) => meeting_id)
  const found = new Map((await listByIds(db, ids)).map(row => [row.id, row]))
  return { data: ids.flatMap(id => found.get(id) ?? []), next_cursor }
}

export const listByIds = (db: Db, ids: string[]): Promise<Meeting[]> => meetings(db).whereIn('id', ids).select(shown)

/** Quick rooms in which nothing has happened since then. */
export const listUnusedRooms = (db: Db, since: string, limit: number): Promise<MeetingRow[]> =>
  meetings(db).where({ status: 'scheduled' }).whereNull('owner_id').where('updated_at', '<', since).limit(limit)

/** What titles are sorted and searched by: without case and accents. */
export const titleKey = (title: string): string =>
  title
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .slice(0, 200)
    .toWellFormed()
