import { type DestinationStream, pino } from 'pino'

export type Log = ReturnType<typeof createLog>

/**
 * JSON lines. Nothing here redacts, because nothing secret is handed in: request lines carry the route's pattern,
 * never a path, a query or a header, and an error is cut to what names it (a driver hangs SQL and values on its own).
 */
export const createLog = (level: string, destination?: DestinationStream) =>
  pino(
    {
      level,
      base: null,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: describe },
    },
    destination ?? pino.destination({ sync: false, minLength: 4096, periodicFlush: 100 }),
  )

function describe(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error ? error.code : undefined
  return { type: error.name, code, message: error.message, stack: error.stack }
}
