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
    try {
      return await writerOf(db).transaction(work)
    } catch (error) {
      if (attempt === maxAttempts || !isConflict(error)) throw error
      await pause(Math.random() * 20 * 2 ** attempt)
    }
  }
}

const maxAttempts = 6
