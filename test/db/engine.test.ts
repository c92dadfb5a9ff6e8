import { describe, expect, it } from 'vitest'
import { readDatabase } from '../../src/config.ts'
import { isUnreachable } from '../../src/db/errors.ts'
import { openDatabase } from '../../src/db/open.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { db } = world
const schedule = (name: string) => ({ name, next_at: world.clock.now() })

describe('a transaction', () => {
  it('is undone whole when it throws', async () => {
    const failing = inTransaction(db, async db => {
      await db('jobs').insert(schedule('undone'))
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await db('jobs').where({ name: 'undone' })).toEqual([])
  })

  it('is done again when another one was in the way', async () => {
    const conflicts = { sqlite: 'SQLITE_BUSY', postgres: '40P01', mysql: 'ER_LOCK_DEADLOCK' }
    let attempts = 0
    await inTransaction(db, async db => {
      await db('jobs').insert(schedule('again'))
      if (++attempts < 3) throw Object.assign(new Error('deadlock'), { code: conflicts[engine] })
    })
    expect(attempts).toBe(3)
    expect(await db('jobs').where({ name: 'again' })).toHaveLength(1)
  })

  it('gives up after six times, and with any other error at once', async () => {
    for (const [code, expected] of [['40001', 6] as const, ['23505', 1] as const]) {
      let attempts = 0
      const failing = inTransaction(db, async () => {
        attempts++
        throw Object.assign(new Error('failed'), { code })
      })
      await expect(failing).rejects.toThrow('failed')
      expect(attempts).toBe(expected)
    }
  })

  it('goes through, also where two lock each other’s rows', async () => {
    await inTransaction(db, db => db('jobs').insert([schedule('left'), schedule('right')]))
    let attempts = 0
    // Where there is one writer, the second begins when the first has ended: they cannot meet.
    const bothHoldOne = engine === 'sqlite' ? async () => {} : meetingOf(2)
    const touch = (first: string, second: string) =>
      inTransaction(db, async db => {
        attempts++
        await db('jobs').where({ name: first }).update({ next_at: world.clock.now() })
        await bothHoldOne()
        await db('jobs').where({ name: second }).update({ next_at: world.clock.now() })
      })
    await Promise.all([touch('left', 'right'), touch('right', 'left')])
    expect(attempts).toBe(engine === 'sqlite' ? 2 : 3)
  })
})

describe('the engine', () => {
  it('tells apart texts that differ in case, accent or trailing space, and keeps every letter', async () => {
    const names = ['ada', 'ada ', 'Ada', 'adá', 'ада', 'ada🙂']
    await inTransaction(db, db => db('jobs').insert(names.map(schedule)))
    for (const name of names) expect(await db('jobs').where({ name }).pluck('name')).toEqual([name])
  })

  it('answers counts as numbers', async () => {
    const row = await db('tenants').count({ count: '*' }).first()
    expect(row?.count).toBe(1)
  })

  it('keeps its references', async () => {
    const orphan = inTransaction(db, db =>
      db('refresh_tokens').insert({
        token_hash: 'x',
        tenant_id: 'default',
        login_id: 'lgn_none',
        created_at: world.clock.now(),
        expires_at: world.clock.now(),
      }),
    )
    await expect(orphan).rejects.toThrow()
  })

  it('has the settings that the promises rest on', async () => {
    await inTransaction(db, async db => {
      if (engine === 'sqlite') {
        expect(await db.raw('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
        expect(await db.raw('PRAGMA synchronous')).toEqual([{ synchronous: 2 }])
        expect(await db.raw('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
      } else if (engine === 'postgres') {
        expect((await db.raw('SHOW transaction_isolation')).rows).toEqual([{ transaction_isolation: 'read committed' }])
      } else {
        const [rows] = await db.raw("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')")
        expect(rows[0].Value).toBe('READ-COMMITTED')
      }
    })
  })

  if (engine === 'sqlite')
    it('refuses a write outside a transaction', async () => {
      await expect(db('jobs').insert(schedule('stray'))).rejects.toThrow(/readonly/)
    })

  if (engine !== 'sqlite')
    it('that is away is known to be unreachable', async () => {
      const url = engine === 'postgres' ? 'postgres://127.0.0.1:9/x' : 'mysql://127.0.0.1:9/x'
      const error = await openDatabase(readDatabase({ DATABASE_URL: url })).catch((error: unknown) => error)
      expect(isUnreachable(error)).toBe(true)
    })
})

/** Holds whoever comes until so many have come; who comes later passes. */
function meetingOf(count: number): () => Promise<void> {
  let complete = () => {}
  const all = new Promise<void>(resolve => {
    complete = resolve
  })
  let come = 0
  return async () => {
    if (++come >= count) complete()
    await all
  }
}
