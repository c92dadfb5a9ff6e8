import type { KeyObject } from 'node:crypto'
import { type Config, originOf } from './config.ts'
import type { Db } from './db/transaction.ts'
import { createEvents } from './events/events.ts'
import { accountJobs } from './features/accounts/jobs.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { createAccounts } from './features/accounts/service.ts'
import { createAuth } from './http/auth.ts'
import { createClients } from './http/client.ts'
import { docsPage, docsRoute } from './http/docs.ts'
import { healthRoutes } from './http/health.ts'
import { createHttp } from './http/http.ts'
import { createIdempotency } from './http/idempotency/service.ts'
import { metricsRoutes } from './http/metrics.ts'
import { mount } from './http/mount.ts'
import { describeApi, openapiRoute } from './http/openapi.ts'
import type { Route } from './http/route.ts'
import { createSweeper } from './jobs/sweeper.ts'
import type { Clock } from './kernel/clock.ts'
import { createLimiter } from './kernel/limiter.ts'
import type { Log } from './kernel/log.ts'
import type { Metrics } from './kernel/metrics.ts'

interface Deps {
  config: Config
  /** Signs and verifies access tokens. */
  key: KeyObject
  db: Db
  clock: Clock
  log: Log
  metrics: Metrics
  version: string
}

export type App = ReturnType<typeof createApp>

/** The composition root: plain calls in the order of who needs whom. */
export function createApp({ config, key, db, clock, log, metrics, version }: Deps) {
  let stopping = false
  const isStopping = () => stopping
  const limiter = createLimiter(clock, config.rate_limit_factor)
  const events = createEvents(clock)
  const accounts = createAccounts({ db, clock, events, limiter, key })

  const routes: Route[] = [
    ...accountRoutes(accounts),
    ...healthRoutes({ db, storage_dir: config.storage_dir, isStopping }),
    ...metricsRoutes({ metrics, db }),
    openapiRoute(() => documentText),
    docsRoute(() => page),
  ]
  const document = describeApi(routes, { version, public_url: config.public_url })
  const documentText = JSON.stringify(document)
  const page = docsPage(document, originOf(config, config.port))

  const idempotency = createIdempotency({ db, clock })
  const auth = createAuth({ key, clock, metrics_token: config.metrics_token, identify: accounts.identify })
  const clientOf = createClients(config.trusted_proxies)
  const koa = createHttp({
    cors_origins: config.cors_origins,
    secure: config.public_url?.startsWith('https:') ?? false,
    isStopping,
    log,
    metrics,
  })
  mount({ koa, routes, auth, clientOf, limiter, idempotency })
  const sweeper = createSweeper({ db, clock, log, jobs: [...accountJobs({ db, clock }), idempotency.sweep] })

  return {
    accounts,
    routes,
    document,
    sweeper,
    handler: koa.callback(),
    /** From now on the node says that it is not ready, so that no new traffic is sent to it. */
    prepareToStop: () => {
      stopping = true
    },
  }
}
