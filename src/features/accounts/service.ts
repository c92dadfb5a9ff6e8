import type { KeyObject } from 'node:crypto'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Actor, Events, LoginEnd } from '../../events/events.ts'
import type { UserCaller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Page } from '../../kernel/fields.ts'
import { hashSecret, newId } from '../../kernel/ids.ts'
import type { Limiter } from '../../kernel/limiter.ts'
import { NotFound, Stale, Unauthenticated } from '../../kernel/problem.ts'
import { type AccessClaims, accessToken } from '../../kernel/token.ts'
import { createAttempts } from './attempts.ts'
import { createLiveLogins } from './live-logins.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import {
  type ChangePassword,
  EmailTaken,
  type LogIn,
  type Login,
  type LogOut,
  type Refresh,
  RefreshRefused,
  type Register,
  type Tokens,
  type UpdateMe,
  type User,
  WrongCredentials,
  WrongPassword,
} from './schema.ts'
import * as store from './store.ts'
import { LOGIN_TTL_S, newRefreshToken, signAccessToken } from './tokens.ts'

interface Deps {
  db: Db
  clock: Clock
  events: Events
  limiter: Limiter
  passwords?: Passwords
  key: KeyObject
  /** Registering with an address does not prove that it is one's own. */
  require_verified_email: boolean
}

/** From where somebody calls, and with what. */
interface From {
  network: string
  user_agent: string
}

const accountKey = (tenant_id: string, email: string) => `${tenant_id} ${email}`

export type Accounts = ReturnType<typeof createAccounts>

export function createAccounts({
  db,
  clock,
  events,
  limiter,
  passwords = createPasswords(),
  key,
  require_verified_email,
}: Deps) {
  const attempts = createAttempts({ limiter, clock })
  const liveLogins = createLiveLogins({ db, clock })

  return {
    async register(tenant_id: string, { password, ...profile }: Register, from: From): Promise<Tokens> {
      // Spares the hash in the usual case; the unique index decides the race.
      if (await store.findByEmail(db, tenant_id, profile.email)) throw EmailTaken()
      const password_hash = await passwords.hash(password)
      const now = clock.now()
      const user: User = { id: newId('usr'), ...profile, version: 1, created_at: now, updated_at: now }
      const begun = await inTransaction(db, async db => {
        if (!(await store.insertUser(db, { ...user, tenant_id, password_hash }))) throw EmailTaken()
        const actor = { kind: 'user' as const, tenant_id, user_id: user.id }
        await events.record(db, actor, { type: 'user.registered', user_id: user.id })
        return beginLogin(db, actor, from)
      })
      attempts.trust(accountKey(tenant_id, user.email), from.network)
      return tokensOf(user, begun)
    },

    /** The same words and the same work, whether the address or the password is wrong. */
    async logIn(tenant_id: string, { email, password }: LogIn, from: From): Promise<Tokens> {
      const found = await attempts.guard(accountKey(tenant_id, email), from.network, async () => {
        const user = await store.findByEmail(db, tenant_id, email)
        return (await passwords.matches(user?.password_hash, password)) ? user : undefined
      })
      if (!found) throw WrongCredentials()
      const { tenant_id: _, password_hash, ...user } = found
      const begun = await inTransaction(db, async db => {
        // A password that was changed while we compared lets nobody in; one that is being changed waits for us.
        const current = await store.lockWithPassword(db, tenant_id, user.id)
        if (current?.password_hash !== password_hash) throw WrongCredentials()
        return beginLogin(db, { kind: 'user', tenant_id, user_id: user.id }, from)
      })
      return tokensOf(user, begun)
    },

    /**
     * A refresh token is good once. Whoever shows it again, the thief or the robbed, ends the login for both: that is
     * the only answer that cannot favour the wrong one.
     */
    async refresh({ refresh_token }: Refresh, from: From): Promise<Tokens> {
      const token_hash = hashSecret(refresh_token)
      const { reused, renewed } = await inTransaction(db, db => renew(db, token_hash))
      if (reused) liveLogins.forget(reused)
      if (!renewed) throw RefreshRefused()
      attempts.trust(accountKey(renewed.tenant_id, renewed.user.email), from.network)
      return tokensOf(renewed.user, renewed)
    },

    /** Ends the login that calls, the one that the refresh token belongs to if it is the caller's, or all of theirs. */
    async logOut(me: UserCaller, { refresh_token, all }: LogOut): Promise<void> {
      const ended = await inTransaction(db, async db => {
        const other = refresh_token ? await store.findRefreshToken(db, hashSecret(refresh_token)) : undefined
        const ids = all
          ? await store.liveLoginIds(db, me.tenant_id, me.user_id)
          : [...new Set([me.login_id, ...(other ? [other.login.id] : [])])].sort()
        return endLogins(db, me, me.user_id, ids, 'logout')
      })
      for (const id of ended) liveLogins.forget(id)
    },

    async listLogins(me: UserCaller, page: Page): Promise<{ data: Login[]; next_cursor: string | null }> {
      const { data, next_cursor } = await store.listLiveLogins(db, { ...me, now: clock.now() }, page)
      const shown = data.map(({ id, user_agent, created_at, last_used_at }) => {
        return { id, user_agent, created_at, last_used_at, current: id === me.login_id }
      })
      return { data: shown, next_cursor }
    },

    async endLogin(me: UserCaller, login_id: string): Promise<void> {
      const ended = await inTransaction(db, db => endLogins(db, me, me.user_id, [login_id], 'logout'))
      if (ended.length === 0) throw NotFound()
      liveLogins.forget(login_id)
    },

    async me(me: UserCaller): Promise<User> {
      const live = await liveLogins.find(me.login_id)
      if (!live) throw Unauthenticated()
      return live.user
    },

    async updateMe(me: UserCaller, changes: UpdateMe, if_match: number[] | undefined): Promise<User> {
      const updated = await inTransaction(db, async db => {
        const user = await store.lockUser(db, me.tenant_id, me.user_id)
        if (!user) throw Unauthenticated()
        if (if_match && !if_match.includes(user.version)) throw Stale()
        if (Object.keys(changes).length === 0) return user
        const changed = { ...user, ...changes, version: user.version + 1, updated_at: clock.now() }
        await store.updateUser(db, me.tenant_id, changed)
        await events.record(db, me, { type: 'user.updated', user_id: user.id })
        return changed
      })
      liveLogins.forgetUser(me.user_id)
      return updated
    },

    /** Ends every other login: whoever knew the old password is out. */
    async changePassword(me: UserCaller, { current_password, new_password }: ChangePassword, from: From) {
      const user = await attempts.guard(me.user_id, from.network, async () => {
        const found = await store.findWithPassword(db, me.tenant_id, me.user_id)
        return (await passwords.matches(found?.password_hash, current_password)) ? found : undefined
      })
      if (!user) throw WrongPassword()
      const replacement = await passwords.hash(new_password)
      const ended = await inTransaction(db, async db => {
        if (!(await store.replacePassword(db, user, replacement))) throw WrongPassword()
        await events.record(db, me, { type: 'user.password_changed', user_id: user.id })
        const others = (await store.liveLoginIds(db, me.tenant_id, me.user_id)).filter(id => id !== me.login_id)
        return endLogins(db, me, me.user_id, others, 'password_changed')
      })
      for (const id of ended) liveLogins.forget(id)
    },

    /** For features above, which may be in a transaction of theirs. */
    findUser: (db: Db, tenant_id: string, id: string): Promise<User | undefined> => store.findUser(db, tenant_id, id),

    /** In the transaction of whoever acts on it. */
    lockLogin: (db: Db, { tenant_id, user_id, login_id: id }: UserCaller): Promise<boolean> =>
      store.lockLiveLogin(db, { tenant_id, user_id, id }, clock.now()),

    /** Whether somebody with an address is taken for who it belongs to. */
    provesAddresses: !require_verified_email,

    /** Whose address it is, as far as that is proved. */
    async findOwnerOf(db: Db, tenant_id: string, email: string): Promise<User | undefined> {
      if (require_verified_email) return undefined // nothing proves one yet
      const found = await store.findByEmail(db, tenant_id, email)
      return found && store.findUser(db, tenant_id, found.id)
    },

    async namesOf(db: Db, tenant_id: string, ids: (string | null)[]): Promise<Map<string | null, string>> {
      return new Map(
        await store.listNames(
          db,
          tenant_id,
          ids.flatMap(id => id ?? []),
        ),
      )
    },

    /** Who the claims of a verified token speak for, while that login stands. */
    async identify({ login, sub }: Pick<AccessClaims, 'login' | 'sub'>): Promise<UserCaller | undefined> {
      const caller = (await liveLogins.find(login))?.caller
      return caller?.user_id === sub ? caller : undefined
    },
  }

  async function beginLogin(db: Db, actor: Actor & { user_id: string }, { user_agent }: From) {
    const { tenant_id, user_id } = actor
    const now = clock.now()
    const login = { id: newId('lgn'), tenant_id, user_id, user_agent: user_agent.slice(0, 200) }
    const times = { created_at: now, last_used_at: now, expires_at: clock.in(LOGIN_TTL_S) }
    const { secret, row } = newRefreshToken(clock, login)
    await store.insertLogin(db, { ...login, ...times, ended_at: null, end_reason: null })
    await store.insertRefreshToken(db, row)
    await events.record(db, actor, { type: 'login.begun', login_id: login.id, user_id })
    return { login_id: login.id, refresh_token: secret }
  }

  interface Renewal {
    /** The login that was ended, because its token was shown a second time. */
    reused?: string
    renewed?: { tenant_id: string; user: User; login_id: string; refresh_token: string }
  }

  /** It does not throw, for the end of a login that it found abused has to be committed. */
  async function renew(db: Db, token_hash: string): Promise<Renewal> {
    const found = await store.findRefreshToken(db, token_hash)
    if (!found || found.token.expires_at <= clock.now() || found.login.ended_at !== null) return {}
    const { id: login_id, tenant_id, user_id } = found.login
    if (!(await store.useRefreshToken(db, token_hash, clock.now()))) {
      await endLogins(db, { kind: 'system', tenant_id }, user_id, [login_id], 'refresh_token_reused')
      return { reused: login_id }
    }
    const next = newRefreshToken(clock, found.login)
    const user = await store.findUser(db, tenant_id, user_id)
    if (!user || !(await store.extendLogin(db, login_id, clock.now(), next.row.expires_at))) return {}
    await store.insertRefreshToken(db, next.row)
    await events.record(db, { kind: 'user', tenant_id, user_id }, { type: 'login.refreshed', login_id, user_id })
    return { renewed: { tenant_id, user, login_id, refresh_token: next.secret } }
  }

  /** Of these logins, ends those that are this user's and stand; returns which. */
  async function endLogins(db: Db, actor: Actor, user_id: string, ids: string[], reason: LoginEnd) {
    const ended: string[] = []
    for (const id of ids) {
      if (!(await store.endLogin(db, { tenant_id: actor.tenant_id, user_id, id }, clock.now(), reason))) continue
      await events.record(db, actor, { type: 'login.ended', login_id: id, user_id, reason })
      ended.push(id)
    }
    return ended
  }

  function tokensOf(user: User, { login_id, refresh_token }: { login_id: string; refresh_token: string }): Tokens {
    const access_token = signAccessToken(key, clock, { sub: user.id, login: login_id })
    return { user, access_token, token_type: 'Bearer', expires_in: accessToken.ttl_s, refresh_token }
  }
}
