import type { Db } from '../../db/transaction.ts'

export interface Claim {
  id: string
  tenant_id: string
  caller_id: string
  idempotency_key: string
  digest: string
  /** As JSON; null while the first request is running. */
  answer: string | null
  created_at: string
}

const claims = (db: Db) => db<Claim>('idempotency_keys')

/** The claim that stands: this one, or an earlier one that is not older than `oldest`. */
export async function claim(db: Db, wanted: Claim, oldest: string): Promise<Claim> {
  const { tenant_id, caller_id, idempotency_key } = wanted
  const mine = { tenant_id, caller_id, idempotency_key }
  await claims(db).where(mine).where('created_at', '<', oldest).delete()
  await claims(db).insert(wanted).onConflict(['tenant_id', 'caller_id', 'idempotency_key']).ignore()
  return (await claims(db).where(mine).first()) ?? wanted
}

export async function answer(db: Db, id: string, answer: string): Promise<void> {
  await claims(db).where({ id }).update({ answer })
}

export async function drop(db: Db, id: string): Promise<void> {
  await claims(db).where({ id }).delete()
}

export async function deleteOlder(db: Db, oldest: string, limit: number): Promise<number> {
  const ids = await claims(db).where('created_at', '<', oldest).limit(limit).pluck('id')
  return claims(db).whereIn('id', ids).delete()
}
