import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** One registry per app, so that two apps in one process do not count each other's requests. */
export function createMetrics() {
  const registry = new Registry()
  const requests = new Histogram({
    name: 'parley_http_request_duration_seconds',
    help: 'Requests answered, by route pattern and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  /** By what they count, since finding one costs more than counting. */
  const counters = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>()

  return {
    registry,

    /** A request has been answered. */
    observe(method: string, route: string, status: number, ms: number): void {
      const key = `${method} ${route} ${status}`
      const counter = counters.get(key) ?? requests.labels({ method, route, status })
      counters.set(key, counter)
      counter.observe(ms / 1000)
    },

    readersWoken: new Counter({
      name: 'parley_inbox_readers_woken_total',
      help: 'What ended the wait of who reads an inbox; sweep is for hints that were lost',
      labelNames: ['by'] as const,
      registers: [registry],
    }),
    /** A number that is asked for when somebody reads the metrics. */
    gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read())
        },
      })
    },

    /** Memory, CPU, handles, garbage collection and the event loop's lag: once per process, by main. */
    watchProcess: () => collectDefaultMetrics({ register: registry }),
  }
}
