import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import koaJwt from 'koa-jwt'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Bearer, Caller } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { hashSecret, newSecret } from '../kernel/ids.ts'
import { AccountNeeded, Unauthenticated } from '../kernel/problem.ts'
import { type AccessClaims, accessToken, type GuestClaims, guestFamily, guestToken } from '../kernel/token.ts'
import type { Client } from './client.ts'
import type { Access } from './route.ts'

export type Auth = ReturnType<typeof createAuth>

export type Claims = AccessClaims | GuestClaims

const Claims = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal(accessToken.kind), sub: z.string(), login: z.string(), exp: z.number() }),
  z.object({ kind: z.literal(guestToken.kind), sub: z.string(), generation: z.int(), exp: z.number() }),
]) satisfies z.ZodType<Claims>

interface Known {
  /** In milliseconds since the epoch. */
  expires: number
  bearer: Bearer
}

type Admitted = Caller | Bearer | undefined

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
  const verified = new LRUCache<string, Known>({ max: 20_000 })
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

  async function verify(authorization: string): Promise<Claims> {
    const state: { claims?: unknown } = {}
    try {
      // All that it looks at of a context.
      const ctx = { state, request: {}, get: () => authorization, header: { authorization }, cookies: { get() {} } }
      await checkSignature(ctx as unknown as Context, async () => {})
    } catch {
      throw Unauthenticated()
    }
    const claims = Claims.safeParse(state.claims)
    if (!claims.success) throw Unauthenticated()
    return claims.data
  }

  /** A value and no promise for a token that is known, as nearly all are. */
  function findBearer({ headers }: IncomingMessage): Bearer | Promise<Bearer> {
    const header = headers.authorization ?? ''
    const known = verified.get(header)
    return known ? requireFresh(known) : meet(header)
  }

  async function meet(header: string): Promise<Bearer> {
    const claims = await verify(header)
    const family = claims.kind === accessToken.kind ? claims.login : guestFamily(claims)
    const kind = claims.kind === accessToken.kind ? 'user' : 'guest'
    const known = { expires: claims.exp * 1000, bearer: { kind, id: claims.sub, family, stand } as const }
    verified.set(header, known)
    return requireFresh(known)

    async function stand(): Promise<Caller> {
      const caller = await identify(claims)
      if (!caller) throw Unauthenticated()
      return caller
    }
  }

  function requireFresh({ expires, bearer }: Known): Bearer {
    if (expires <= clock.millis()) throw Unauthenticated()
    return bearer
  }

  const findCaller = async (req: IncomingMessage): Promise<Caller> => (await findBearer(req)).stand()

  async function findUser(req: IncomingMessage): Promise<Caller> {
    const caller = await findCaller(req)
    if (caller.kind !== 'user') throw AccountNeeded()
    return caller
  }

  function requireOperator({ headers }: IncomingMessage, client: Client | undefined): void {
    if (client?.loopback) return
    const given = hashSecret((headers.authorization ?? '').replace(/^Bearer /i, ''))
    const expected = hashSecret(metrics_token ?? newSecret())
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) throw Unauthenticated()
  }

  return {
    /** Lets in whom the route is for, and says who it is; an operator is nobody in particular. */
    admit(access: Access, req: IncomingMessage, client?: Client): Admitted | Promise<Admitted> {
      if (access === 'bearer') return findBearer(req)
      if (access === 'user') return findUser(req)
      if (access === 'participant') return findCaller(req)
      if (access === 'optional' && req.headers.authorization !== undefined) return findCaller(req)
      if (access === 'operator') requireOperator(req, client)
      return undefined
    },
  }
}
