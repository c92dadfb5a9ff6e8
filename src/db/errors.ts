/** What an engine's error means. Each engine says it in its own way; nobody outside this folder needs to know. */

const code = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** Another transaction was in the way, and this one was rolled back whole: doing it again may well succeed. */
export function isConflict(error: unknown): boolean {
  return conflicts.has(code(error))
}

const conflicts = new Set<unknown>([
  'SQLITE_BUSY',
  '40001', // Postgres: serialization failure
  '40P01', // … deadlock
  '55P03', // … lock not available
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
])

/** The database cannot be reached, has no room, or its pool stayed empty for too long. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof Error && error.name === 'KnexTimeoutError') return true
  // The drivers say some of it in words alone; Knex puts the statement in front of them.
  if (error instanceof Error && inWords.test(error.message)) return true
  const value = code(error)
  return typeof value === 'string' && (unreachable.has(value) || /^(08|53|57|25P03)/.test(value))
}

/** The engine has carried nothing out, and says so. After any other error nobody knows what it has done. */
export function isRefusal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || isUnreachable(error)) return false
  return ('severity' in error && error.severity === 'ERROR') || ('sqlState' in error && Boolean(error.sqlState))
}

const inWords = /connection (terminated|error|is in closed state)|(connection|query read) timeout|timeout expired/i

const unreachable = new Set<string>([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_STATEMENT_TIMEOUT',
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_CANTOPEN',
])
