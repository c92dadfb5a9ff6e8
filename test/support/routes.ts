import type { Auth } from '../../src/http/auth.ts'
import { createClients } from '../../src/http/client.ts'
import { createHttp } from '../../src/http/http.ts'
import { createIdempotency } from '../../src/http/idempotency/service.ts'
import { mount } from '../../src/http/mount.ts'
import { describeApi } from '../../src/http/openapi.ts'
import type { Route } from '../../src/http/route.ts'
import { createDrain, createHttpServer, listen } from '../../src/http/server.ts'
import { createLimiter } from '../../src/kernel/limiter.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createMetrics } from '../../src/kernel/metrics.ts'
import { Unauthenticated } from '../../src/kernel/problem.ts'
import { whenDone } from './cleanup.ts'
import { createClient } from './client.ts'
import type { World } from './world.ts'

interface Options {
  routes: Route[]
  trusted_proxies?: string[]
  cors_origins?: string[]
}

/** Serves routes that a test declares, to see what the machinery makes of them. `As: ada` is the caller, or `As: ada@tenant`. */
export async function serveRoutes({ db, clock }: World, { routes, trusted_proxies = [], cors_origins = [] }: Options) {
  const lines: string[] = []
  const log = createLog('info', { write: line => lines.push(line) })
  const auth: Auth = {
    admit(access, req) {
      if (access === 'anyone') return undefined
      const [user_id, tenant_id = 'default'] = String(req.headers.as ?? '').split('@')
      if (!user_id) throw Unauthenticated()
      return Promise.resolve({ kind: 'user', tenant_id, user_id, login_id: 'lgn_test' })
    },
  }
  const koa = createHttp({ cors_origins, secure: true, isStopping: () => false, log, metrics: createMetrics() })
  const limiter = createLimiter(clock, 1)
  const idempotency = createIdempotency({ db, clock })
  mount({ koa, routes, auth, clientOf: createClients(trusted_proxies), limiter, idempotency })
  const server = createHttpServer(koa.callback())
  const drain = createDrain(server)
  const { port } = await listen(server, 0, '127.0.0.1')
  whenDone(() => drain(0))
  const document = describeApi(routes, { version: '0.0.0' })
  const origin = `http://127.0.0.1:${port}`
  const client = createClient({ origin, document })
  return { origin, client, as: (user_id: string) => client.with({ headers: { As: user_id } }), idempotency, lines }
}
