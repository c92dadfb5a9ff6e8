import { type Paged, pageOf } from '../../db/pages.ts'
import type { Db } from '../../db/transaction.ts'
import type { LoginEnd } from '../../events/events.ts'
import type { Page } from '../../kernel/fields.ts'
import type { User } from './schema.ts'

/** What never leaves the server stands only here. */
export interface UserRow extends User {
  tenant_id: string
  password_hash: string
}

/** One signing-in of a person on one device. All tokens of it live and die with it. */
export interface LoginRow {
  id: string
  tenant_id: string
  user_id: string
  user_agent: string
  created_at: string
  last_used_at: string
  expires_at: string
  ended_at: string | null
  end_reason: LoginEnd | null
}

/** Used ones are kept until they expire: seeing one again is how a theft is noticed. */
export interface RefreshTokenRow {
  token_hash: string
  tenant_id: string
  login_id: string
  created_at: string
  expires_at: string
  used_at: string | null
}

const users = (db: Db) => db<UserRow>('users')
const logins = (db: Db) => db<LoginRow>('logins')
const refreshTokens = (db: Db) => db<RefreshTokenRow>('refresh_tokens')

const userColumns = ['id', 'email', 'name', 'time_zone', 'version', 'created_at', 'updated_at'] as const

/** False when the address was taken: the unique index settles the race, not a look before it. */
export async function insertUser(db: Db, user: UserRow): Promise<boolean> {
  await users(db).insert(user).onConflict(['tenant_id', 'email']).ignore()
  return (await users(db).where({ tenant_id: user.tenant_id, id: user.id }).first('id')) !== undefined
}

/** With the hash of the password, to compare with. */
export const findByEmail = (db: Db, tenant_id: string, email: string): Promise<UserRow | undefined> =>
  users(db).where({ tenant_id, email }).first()

export const findWithPassword = (db: Db, tenant_id: string, id: string): Promise<UserRow | undefined> =>
  users(db).where({ tenant_id, id }).first()

/** As above, and nobody changes the password until this transaction ends. */
export const lockWithPassword = (db: Db, tenant_id: string, id: string): Promise<UserRow | undefined> =>
  users(db).where({ tenant_id, id }).forUpdate().first()

export const findUser = (db: Db, tenant_id: string, id: string): Promise<User | undefined> =>
  users(db).where({ tenant_id, id }).first(userColumns)

export async function listNames(db: Db, tenant_id: string, ids: string[]): Promise<[string, string][]> {
  const found = await users(db).where({ tenant_id }).whereIn('id', ids).select('id', 'name')
  return found.map(({ id, name }) => [id, name])
}

/** Nobody else changes the user until this transaction ends. (SQLite, which has one writer, needs no lock and has none.) */
export const lockUser = (db: Db, tenant_id: string, id: string): Promise<User | undefined> =>
  users(db).where({ tenant_id, id }).forUpdate().first(userColumns)

export async function updateUser(db: Db, tenant_id: string, { id, ...user }: User): Promise<void> {
  await users(db).where({ tenant_id, id }).update(user)
}

/** False when the password is not the one that was checked any more. */
export async function replacePassword(
  db: Db,
  { tenant_id, id, password_hash }: UserRow,
  replacement: string,
): Promise<boolean> {
  return (await users(db).where({ tenant_id, id, password_hash }).update({ password_hash: replacement })) === 1
}

export async function insertLogin(db: Db, login: LoginRow): Promise<void> {
  await logins(db).insert(login)
}

/** The login, if its tokens are good at that time, and whose it is. */
export async function findLiveLogin(db: Db, id: string, now: string) {
  const login = await logins(db).where({ id }).whereNull('ended_at').where('expires_at', '>', now).first()
  const user = login && (await findUser(db, login.tenant_id, login.user_id))
  return login && user ? { login, user } : undefined
}

/** False when it has ended meanwhile. */
export async function extendLogin(db: Db, id: string, last_used_at: string, expires_at: string): Promise<boolean> {
  return (await logins(db).where({ id }).whereNull('ended_at').update({ last_used_at, expires_at })) === 1
}

export const listLiveLogins = (
  db: Db,
  { tenant_id, user_id, now }: { tenant_id: string; user_id: string; now: string },
  page: Page,
): Promise<Paged<LoginRow>> =>
  pageOf<LoginRow>(
    logins(db).where({ tenant_id, user_id }).whereNull('ended_at').where('expires_at', '>', now),
    { created_at: 'desc', id: 'desc' },
    page,
  )

export const liveLoginIds = (db: Db, tenant_id: string, user_id: string): Promise<string[]> =>
  logins(db).where({ tenant_id, user_id }).whereNull('ended_at').orderBy('id').pluck('id')

/** Whether it stands; it goes on standing until this transaction ends. */
export const lockLiveLogin = async (
  db: Db,
  { tenant_id, user_id, id }: Pick<LoginRow, 'tenant_id' | 'user_id' | 'id'>,
  now: string,
): Promise<boolean> => {
  const live = logins(db).where({ tenant_id, user_id, id }).whereNull('ended_at').where('expires_at', '>', now)
  return (await live.forUpdate().first('id')) !== undefined
}

/** False when it is not this person's, or has ended already. */
export async function endLogin(
  db: Db,
  { tenant_id, user_id, id }: Pick<LoginRow, 'tenant_id' | 'user_id' | 'id'>,
  ended_at: string,
  end_reason: LoginEnd,
): Promise<boolean> {
  const ended = await logins(db)
    .where({ tenant_id, user_id, id })
    .whereNull('ended_at')
    .update({ ended_at, end_reason })
  return ended === 1
}

export async function insertRefreshToken(db: Db, token: RefreshTokenRow): Promise<void> {
  await refreshTokens(db).insert(token)
}

/** The token with the login it belongs to, used and ended ones too. */
export async function findRefreshToken(db: Db, token_hash: string) {
  const token = await refreshTokens(db).where({ token_hash }).first()
  const login = token && (await logins(db).where({ id: token.login_id }).first())
  return token && login ? { token, login } : undefined
}

/** True for exactly one of those who try: the guard settles it, on every engine. */
export async function useRefreshToken(db: Db, token_hash: string, used_at: string): Promise<boolean> {
  return (await refreshTokens(db).where({ token_hash }).whereNull('used_at').update({ used_at })) === 1
}

export async function deleteExpiredRefreshTokens(db: Db, now: string, limit: number): Promise<number> {
  const expired = await refreshTokens(db).where('expires_at', '<', now).limit(limit).pluck('token_hash')
  return refreshTokens(db).whereIn('token_hash', expired).delete()
}

/** A login whose last refresh token has expired can never be used again. Its tokens go with it. */
export async function deleteExpiredLogins(db: Db, now: string, limit: number): Promise<number> {
  const expired = await logins(db).where('expires_at', '<', now).limit(limit).pluck('id')
  return logins(db).whereIn('id', expired).delete()
}
