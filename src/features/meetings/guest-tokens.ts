import type { KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { Clock } from '../../kernel/clock.ts'
import { accessToken, guestToken } from '../../kernel/token.ts'
import type { ParticipantRow } from './participant-store.ts'

/** Says who a guest is, and nothing about what they may: that is looked up each time. */
export function signGuestToken(
  key: KeyObject,
  clock: Clock,
  { id, generation }: Pick<ParticipantRow, 'id' | 'generation'>,
): string {
  const iat = Math.floor(clock.millis() / 1000)
  const { algorithm, issuer, audience } = accessToken
  const { kind, ttl_s } = guestToken
  return jwt.sign({ sub: id, generation, kind, iat, exp: iat + ttl_s }, key, { algorithm, issuer, audience })
}
