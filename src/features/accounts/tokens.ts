import type { KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import { type AccessClaims, accessToken } from '../../kernel/token.ts'
import type { RefreshTokenRow } from './store.ts'

/** How long a device may stay away and still be logged in. Each refresh begins it anew. */
export const LOGIN_TTL_S = 30 * 24 * 3600

export function signAccessToken(key: KeyObject, clock: Clock, claims: Pick<AccessClaims, 'sub' | 'login'>): string {
  const iat = Math.floor(clock.millis() / 1000)
  const { algorithm, issuer, audience, kind, ttl_s } = accessToken
  return jwt.sign({ ...claims, kind, iat, exp: iat + ttl_s }, key, { algorithm, issuer, audience })
}

/** The secret goes to the client, the row with its hash to the table. */
export function newRefreshToken(clock: Clock, login: { id: string; tenant_id: string }) {
  const secret = newSecret()
  const row: RefreshTokenRow = {
    token_hash: hashSecret(secret),
    tenant_id: login.tenant_id,
    login_id: login.id,
    created_at: clock.now(),
    expires_at: clock.in(LOGIN_TTL_S),
    used_at: null,
  }
  return { secret, row }
}
