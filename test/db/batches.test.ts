import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Table } from '../../src/db/dialects.ts'
import { type Batch, inBatch } from '../../src/db/prepared.ts'
import { writerOf } from '../../src/db/transaction.ts'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'

const { db } = await createWorld()

const tenants: Table = { name: 'tenants', columns: { id: 'text', name: 'text', created_at: 'text' } }
const row = (id: string, name: string | null = id) => [id, name, '2026-11-01T09:00:00.000Z']
const named = (prefix: string): Promise<string[]> =>
  db('tenants').where('id', 'like', `${prefix}%`).orderBy('id').pluck('id')

describe('a batch', () => {
  it('is all there once it is over, whatever number of rows it has', async () => {
    const rows = Array.from({ length: 250 }, (_, i) => row(`many-${1000 + i}`))
    await inBatch(db, async batch => {
      await batch.insert(tenants, rows)
      await batch.update(
        { name: 'tenants', columns: { id: 'text', name: 'text' } },
        rows.map(([id = null]) => [id, 'renamed']),
      )
    })
    expect(await named('many-')).toEqual(rows.map(([id]) => id))
    expect(await db('tenants').where('id', 'like', 'many-%').distinct('name').pluck('name')).toEqual(['renamed'])
  })

  it('leaves nothing when one of its writes fails, says why, and harms none after it', async () => {
    const failing = inBatch(db, async batch => {
      await batch.insert(tenants, [row('half-1')])
      await batch.insert(tenants, [row('half-2', null)])
      await batch.insert(tenants, [row('half-3')])
    })
    await expect(failing).rejects.toThrow(/null/i)
    expect(await named('half-')).toEqual([])
    for (let i = 0; i < 20; i++) await inBatch(db, batch => batch.insert(tenants, [row(`after-${10 + i}`)]))
    expect(await named('after-')).toHaveLength(20)
  })

  it('writes nothing when it could not begin, and says why', async () => {
    await expect(withoutBegin(batch => batch.insert(tenants, [row('never-1')]))).rejects.toThrow(
      /nonsense|within a transaction/i,
    )
    const asks = withoutBegin(async batch => {
      await batch.lock('tenants', ['id'], ['default'])
      await batch.insert(tenants, [row('never-2')])
    })
    await expect(asks).rejects.toThrow(/nonsense|within a transaction/i)
    expect(await named('never-')).toEqual([])
  })

  it('says why a write failed also to who asks something after it', async () => {
    const failing = inBatch(db, async batch => {
      await batch.insert(tenants, [row('asked', null)])
      await batch.query('SELECT id FROM tenants WHERE id = ?', ['default'])
    })
    await expect(failing).rejects.toThrow(/null/i)
  })

  it('leaves nothing when its own work gives up after it has written', async () => {
    const failing = inBatch(db, async batch => {
      await batch.insert(tenants, [row('given-up')])
      throw new Error('No, better not')
    })
    await expect(failing).rejects.toThrow('No, better not')
    expect(await named('given-up')).toEqual([])
  })
})

/** On a connection that refuses to begin: SQLite within a transaction, the others what they do not understand. */
async function withoutBegin(work: (batch: Batch) => Promise<void>): Promise<void> {
  const { client } = writerOf(db)
  const connection = await client.acquireConnection()
  const { query } = connection
  if (engine === 'sqlite') await promisify(connection.exec).call(connection, 'BEGIN')
  else connection.query = (sql: string, ...rest: unknown[]) => query.call(connection, nonsense(sql), ...rest)
  client.releaseConnection(connection)
  try {
    await inBatch(db, work)
  } finally {
    connection.query = query
  }
}

const nonsense = (sql: string) => (sql === 'BEGIN' ? 'NONSENSE' : sql)
