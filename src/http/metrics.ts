import { poolOf } from '../db/open.ts'
import type { Db } from '../db/transaction.ts'
import type { Metrics } from '../kernel/metrics.ts'
import { route, text } from './route.ts'

export function metricsRoutes({ metrics, db }: { metrics: Metrics; db: Db }) {
  metrics.gauge('parley_db_connections_used', 'Database connections in use', () => poolOf(db).used)
  metrics.gauge('parley_db_connections_free', 'Database connections at rest', () => poolOf(db).free)
  metrics.gauge('parley_db_connections_waited_for', 'Who waits for a connection', () => poolOf(db).waiting)

  return [
    route('GET /metrics', {
      summary: 'Read the metrics',
      description: 'In the text format of Prometheus. Answers this machine, or the bearer of METRICS_TOKEN.',
      access: 'operator',
      reply: { 200: text('text/plain; version=0.0.4; charset=utf-8') },
      handle: () => metrics.registry.metrics(),
    }),
  ]
}
