import { expect, it } from 'vitest'
import { fillWithMeetings, plansOf } from '../../bench/support/meetings.ts'
import { ListMeetings } from '../../src/features/meetings/schema.ts'
import { list, listUnusedRooms } from '../../src/features/meetings/store.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const [user_id = ''] = await fillWithMeetings(world.db, 100, 50)
const me = { tenant_id: DEFAULT_TENANT, user_id }

it.each([
  ['scheduled_at', 'participants_by_time'],
  ['-scheduled_at', 'participants_by_time'],
  ['created_at', 'participants_by_creation'],
  ['-title', 'participants_by_title'],
])('a page of my meetings by %s is read off the index %s, the first and a later one', async (sort, index) => {
  const page = (cursor?: string) => list(world.db, me, ListMeetings.parse({ sort, limit: 2, cursor }))
  const { data, next_cursor } = await page()
  expect(data).toHaveLength(2)
  const plans = await plansOf(world.db, 'meeting_participants', async () => {
    await page()
    await page(next_cursor ?? '')
  })
  expect(plans).toHaveLength(2)
  for (const plan of plans) expect(plan).toContain(index)
})

it('a page of those with a status asks of my own meetings only', async () => {
  const query = ListMeetings.parse({ status: 'scheduled', limit: 2 })
  const [plan = ''] = await plansOf(world.db, 'meeting_participants', () => list(world.db, me, query))
  expect(plan).toContain('participants_by_time')
  expect(plan).not.toMatch(/SCAN meetings|Seq Scan on meetings|"type":"(ALL|index)"/)
})

it('quick rooms that nobody uses are found without a look at the meetings of others', async () => {
  const [plan = '', ...others] = await plansOf(world.db, 'meetings', () =>
    listUnusedRooms(world.db, world.clock.now(), 100),
  )
  expect(others).toEqual([])
  expect(plan).toContain('meetings_of_owner')
})
