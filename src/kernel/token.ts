/** What an access token says. `features/accounts` signs it and `http/auth` verifies it; both pin all of this. */
export const accessToken = {
  algorithm: 'HS256',
  issuer: 'parley',
  audience: 'parley-api',
  kind: 'access',
  ttl_s: 15 * 60,
} as const

/** What a guest's token says. `features/meetings` signs it; it is verified as access tokens are. */
export const guestToken = { kind: 'participant', ttl_s: 24 * 3600 } as const

export interface GuestClaims {
  /** The participant. */
  sub: string
  /** To be invited again after a withdrawal begins another one. */
  generation: number
  kind: typeof guestToken.kind
  exp: number
}

/** All tokens of one generation of a guest. */
export const guestFamily = ({ generation }: Pick<GuestClaims, 'generation'>): string => `guest ${generation}`

export interface AccessClaims {
  /** The user. */
  sub: string
  /** The login this token belongs to: ending the login ends the token. */
  login: string
  kind: typeof accessToken.kind
  /** Seconds since the epoch. */
  exp: number
}
