import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import koaJwt from 'koa-jwt'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { hashSecret, newSecret } from '../kernel/ids.ts'
import { AccountNeeded, Unauthenticated } from '../kernel/problem.ts'
import { type AccessClaims, accessToken, type GuestClaims, guestToken } from '../kernel/token.ts'
import type { Client } from './client.ts'
import type { Access } from './route.ts'

export type Auth = ReturnType<typeof createAuth>

export type Claims = AccessClaims | GuestClaims

const Claims = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal(accessToken.kind), sub: z.string(), login: z.string(), exp: z.number() }),
  z.object({ kind: z.literal(guestToken.kind), sub: z.string(), generation: z.int(), exp: z.number() }),
]) satisfies z.ZodType<Claims>

interface Deps {
  key: KeyObject
  clock: Clock
  metrics_token: string | undefined
  /** Who the claims speak for, or nobody, when that login or meeting has ended. Asked on every request. */
  identify(claims: Claims): Promise<Caller | undefined>
}

/**
 * Finds the caller of a request. A signature is checked once for each token: what a token says never changes, so it is
 * remembered until the token expires. Whether its login still stands can change, and is asked each time.
 */
export function createAuth({ key, clock, metrics_token, identify }: Deps) {
  const verified = new LRUCache<string, Claims>({ max: 20_000 })
  const options = {
    // A KeyObject: a text or Buffer would be tried as a PEM key at every call, at fifty times the cost. The types of
    // koa-jwt do not know it, jsonwebtoken does.
    secret: key as unknown as Buffer,
    algorithms: [accessToken.algorithm],
    issuer: accessToken.issuer,
    audience: accessToken.audience,
    key: 'claims',
    get clockTimestamp() {
      return Math.floor(clock.millis() / 1000)
    },
  }
  const checkSignature = koaJwt(options)

  async function verify(ctx: Context): Promise<Claims> {
    try {
      await checkSignature(ctx, async () => {})
    } catch {
      throw Unauthenticated()
    }
    const claims = Claims.safeParse(ctx.state.claims)
    if (!claims.success) throw Unauthenticated()
    return claims.data
  }

  async function findCaller(ctx: Context): Promise<Caller> {
    const header = ctx.req.headers.authorization ?? ''
    let claims = verified.get(header)
    if (!claims) {
      claims = await verify(ctx)
      verified.set(header, claims)
    }
    if (claims.exp * 1000 <= clock.millis()) throw Unauthenticated()
    const caller = await identify(claims)
    if (!caller) throw Unauthenticated()
    return caller
  }

  async function findUser(ctx: Context): Promise<Caller> {
    const caller = await findCaller(ctx)
    if (caller.kind !== 'user') throw AccountNeeded()
    return caller
  }

  function requireOperator(ctx: Context, client: Client): void {
    if (client.loopback) return
    const given = hashSecret((ctx.req.headers.authorization ?? '').replace(/^Bearer /i, ''))
    const expected = hashSecret(metrics_token ?? newSecret())
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) throw Unauthenticated()
  }

  return {
    /** Lets in whom the route is for, and says who it is; an operator is nobody in particular. */
    admit(access: Access, ctx: Context, client: Client): Promise<Caller> | undefined {
      if (access === 'user') return findUser(ctx)
      if (access === 'participant') return findCaller(ctx)
      if (access === 'optional' && ctx.req.headers.authorization !== undefined) return findCaller(ctx)
      if (access === 'operator') requireOperator(ctx, client)
      return undefined
    },
  }
}
