import { beforeEach, describe, expect, it } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { createSweeper } from '../../src/jobs/sweeper.ts'
import { createLog } from '../../src/kernel/log.ts'
import { startSmtp } from '../support/smtp.ts'
import { createWorld } from '../support/world.ts'
import { emptyRoom, noteTo, openRoom } from './room.ts'

const world = await createWorld()
const { db, clock } = world
const month_s = 30 * 24 * 3600

beforeEach(() => emptyRoom(world))

describe('a mail that is posted', () => {
  it('is one mail, though it is posted five times at once', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    await Promise.all(Array.from({ length: 5 }, () => room.post(noteTo('ada@example.com'))))
    expect(await room.rows()).toHaveLength(1)
    await room.sendDue()
    await room.post(noteTo('ada@example.com'))
    expect(await room.sendDue()).toBe(0)
    expect(smtp.arrivals).toHaveLength(1)
  })

  it('is not there when its transaction is rolled back', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    const change = inTransaction(db, async db => {
      await room.mail.post(db, noteTo('ada@example.com'))
      throw new Error('changed my mind')
    })
    await expect(change).rejects.toThrow('changed my mind')
    await room.sendDue()
    expect(smtp.arrivals).toEqual([])
  })

  it('is sent by a sweeper, soon after', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    const { tick } = createSweeper({ db, clock, log: createLog('silent'), jobs: room.mail.jobs })
    await tick()
    await room.post(noteTo('ada@example.com'), noteTo('bob@example.com'))
    clock.advance(5)
    await tick()
    expect(smtp.arrivals.flatMap(({ to }) => to).sort()).toEqual(['ada@example.com', 'bob@example.com'])
  })

  it('is marked and not sent when there is no reason for it any more', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url, compose: async () => undefined })
    await room.post(noteTo('ada@example.com'))
    await room.sendDue()
    expect(await room.row('ada@example.com')).toMatchObject({ sent_at: clock.now(), to_address: '' })
    expect(smtp.arrivals).toEqual([])
  })
})

describe('the row of a mail', () => {
  it('loses what is personal when the mail is sent, and keeps its key', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    await room.post(noteTo('ada@example.com', 'note 1'))
    await room.sendDue()
    expect(await room.rows()).toEqual([
      expect.objectContaining({
        dedupe_key: 'note 1',
        to_address: '',
        facts: '{}',
        sent_at: clock.now(),
        leased_until: null,
      }),
    ])
  })

  it('goes thirty days after it was sent or given up, and not while it waits', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    smtp.refuse(550, 'nobody@example.com')
    await room.post(noteTo('ada@example.com'), noteTo('nobody@example.com'))
    await room.sendDue()
    clock.advance(60)
    await room.post(noteTo('late@example.com'))
    clock.advance(month_s - 60)
    expect(await room.sweep()).toBe(0)
    clock.advance(1)
    expect(await room.sweep()).toBe(2)
    expect((await room.rows()).map(({ dedupe_key }) => dedupe_key)).toEqual(['late@example.com'])
  })
})
