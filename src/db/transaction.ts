import { setTimeout as pause } from 'node:timers/promises'
import type { Knex } from 'knex'
import { isConflict } from './errors.ts'

/**
 * What stores and services are handed: a pool, or the transaction in which they take part. On SQLite the pool only
 * reads, so that a write outside a transaction fails at once and on every developer's machine.
 */
export type Db = Knex

const writers = new WeakMap<Db, Db>()

export function setWriter(reader: Db, writer: Db): void {
  writers.set(reader, writer)
}

/** The pool on which transactions of this database begin. */
export const writerOf = (db: Db): Db => writers.get(db) ?? db

/**
 * Runs `work` as one transaction, again from its start when another transaction was in the way. So `work` does nothing
 * but ask the database: no network, no hashing, no file, and no waking of anybody before it is committed.
 */
export async function inTransaction<Result>(db: Db, work: (db: Db) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const after: (() => void)[] = []
    try {
      const result = await writerOf(db).transaction(db => {
        consequences.set(db, after)
        return work(db)
      })
      for (const consequence of after) consequence()
      return result
    } catch (error) {
      if (attempt === maxAttempts || !isConflict(error)) throw error
      await pause(Math.random() * 20 * 2 ** attempt)
    }
  }
}

const maxAttempts = 6

const consequences = new WeakMap<Db, (() => void)[]>()

/** For what must not happen before it is committed, nor at all when it is not: to wake who waits for it, above all. */
export function afterCommit(db: Db, consequence: () => void): void {
  const after = consequences.get(db)
  if (!after) throw new Error('This is no transaction')
  after.push(consequence)
}
