import { DateTime } from 'luxon'
import { type Db, inTransaction, writerOf } from '../../src/db/transaction.ts'
import { draftMeeting } from '../../src/features/meetings/draft.ts'
import { CreateMeeting } from '../../src/features/meetings/schema.ts'
import { titleKey } from '../../src/features/meetings/store.ts'
import { placeInAgenda } from '../../src/features/meetings/timing.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { systemClock as clock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'

/** Fills a database with planned meetings of many owners, some hundred rows to a statement; who they are comes back. */
export async function fillWithMeetings(db: Db, owners: number, each: number): Promise<string[]> {
  const ids: string[] = []
  for (let owner = 0; owner < owners; owner += 10) {
    const people = Array.from({ length: Math.min(10, owners - owner) }, (_, i) => person(owner + i))
    ids.push(...people.map(({ id }) => id))
    const held = people.flatMap(({ id }) => Array.from({ length: each }, (_, i) => meeting(id, i)))
    await inTransaction(db, async db => {
      await db.batchInsert('users', people, 50)
      await db.batchInsert(
        'meetings',
        held.map(({ row }) => row),
        100,
      )
      await db.batchInsert(
        'meeting_participants',
        held.map(({ place }) => place),
        100,
      )
    })
  }
  await gatherStatistics(db)
  return ids
}

function person(i: number) {
  const now = clock.now()
  const times = { created_at: now, updated_at: now }
  const account = { email: `owner${i}@example.com`, name: `Owner ${i}`, time_zone: 'UTC', password_hash: '-' }
  return { id: newId('usr'), tenant_id: DEFAULT_TENANT, ...account, version: 1, ...times }
}

function meeting(user_id: string, i: number) {
  const start = DateTime.utc().plus({ days: 1 + ((i * 37) % 100), minutes: i })
  const body = CreateMeeting.parse({ title: `Meeting ${(i * 53) % 100}`, scheduled_at: start.toISO() })
  const caller = { kind: 'user', tenant_id: DEFAULT_TENANT, user_id, login_id: '' } as const
  const { metadata, ...row } = draftMeeting(clock, caller, body, 'UTC')
  const place = {
    id: newId('par'),
    tenant_id: DEFAULT_TENANT,
    meeting_id: row.id,
    user_id,
    display_name: 'Owner',
    role: 'host',
    relation: 'owner',
    may: 'join',
    state: 'away',
    admitted: false,
    shown_out: false,
    generation: 1,
    title_key: titleKey(row.title),
    ...placeInAgenda(row, row),
    meeting_created_at: row.created_at,
    created_at: row.created_at,
  }
  return { row: { ...row, metadata: JSON.stringify(metadata) }, place }
}

/** Engines plan by what they know of their tables, and gather it in their own time unless they are told to. */
async function gatherStatistics(db: Db): Promise<void> {
  const tables = ['meetings', 'meeting_participants']
  const { client } = db.client.config
  for (const table of tables)
    await writerOf(db).raw(client === 'mysql2' ? `ANALYZE TABLE ${table}` : `ANALYZE ${table}`)
}

interface Query {
  sql: string
  bindings: string[]
}

/** How the engine goes about each query on that table which `work` asks, in its own words. */
export async function plansOf(db: Db, table: string, work: () => Promise<unknown>): Promise<string[]> {
  const asked: Query[] = []
  const listen = ({ sql, bindings }: Query) => {
    if (sql.includes(`from ${db.ref(table).toString()}`)) asked.push({ sql, bindings })
  }
  db.on('query', listen)
  await work()
  db.removeListener('query', listen)

  const explain = db.client.config.client === 'sqlite3' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
  const plans: string[] = []
  for (const { sql, bindings } of asked) {
    // The driver's own placeholders are in the text by now; knex wants its own.
    const plan = await db.raw(`${explain} ${sql.replace(/\$\d+/g, '?')}`, bindings)
    plans.push(JSON.stringify(plan.rows ?? plan[0] ?? plan))
  }
  return plans
}
