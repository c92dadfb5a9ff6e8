import type { KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { Clock } from '../../kernel/clock.ts'
import { accessToken, guestToken } from '../../kernel/token.ts'

/** Says who a guest is, and nothing about what they may: that is looked up each time. */
export function signGuestToken(key: KeyObject, clock: Clock, participant_id: string): string {
  const iat = Math.floor(clock.millis() / 1000)
  const { algorithm, issuer, audience } = accessToken
  const { kind, ttl_s } = guestToken
  return jwt.sign({ sub: participant_id, kind, iat, exp: iat + ttl_s }, key, { algorithm, issuer, audience })
}
