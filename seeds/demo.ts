import type { Knex } from 'knex'
import { inTransaction } from '../src/db/transaction.ts'
import { createPasswords } from '../src/features/accounts/passwords.ts'
import * as store from '../src/features/accounts/store.ts'
import { DEFAULT_TENANT } from '../src/kernel/caller.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { newId } from '../src/kernel/ids.ts'

/** A pleasant start for somebody who is trying things out. Safe to run twice; nothing needs it to run. */

export const demoPassword = 'parley-demo'
export const demoOwner = 'owner@parley.example'

const people = [
  { email: demoOwner, name: 'Demo Owner', time_zone: 'Europe/Berlin' },
  { email: 'invitee@parley.example', name: 'Demo Invitee', time_zone: 'America/New_York' },
  { email: 'viewer@parley.example', name: 'Demo Viewer', time_zone: 'Asia/Tokyo' },
]

export async function seed(db: Knex): Promise<void> {
  const password_hash = await createPasswords().hash(demoPassword)
  const now = systemClock.now()
  await inTransaction(db, async db => {
    for (const person of people) {
      const times = { created_at: now, updated_at: now }
      const user = { id: newId('usr'), tenant_id: DEFAULT_TENANT, ...person, version: 1, ...times, password_hash }
      await store.insertUser(db, user)
    }
  })
}

/** Whether there is a demo to log in to. */
export const hasDemo = async (db: Knex): Promise<boolean> =>
  (await store.findByEmail(db, DEFAULT_TENANT, demoOwner)) !== undefined

/** Whether nobody has used this database yet. */
export const isNew = async (db: Knex): Promise<boolean> => (await db('users').first('id')) === undefined
