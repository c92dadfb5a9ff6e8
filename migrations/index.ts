import type { Knex } from 'knex'
import * as tenants from './0001_tenants.ts'
import * as users from './0002_users.ts'
import * as logins from './0003_logins.ts'
import * as refreshTokens from './0004_refresh_tokens.ts'
import * as events from './0005_events.ts'
import * as jobs from './0006_jobs.ts'
import * as idempotencyKeys from './0007_idempotency_keys.ts'

/** In the order in which they run. Append only: what has been merged is history. */
export const migrations: { [name: string]: Knex.Migration } = {
  '0001_tenants': tenants,
  '0002_users': users,
  '0003_logins': logins,
  '0004_refresh_tokens': refreshTokens,
  '0005_events': events,
  '0006_jobs': jobs,
  '0007_idempotency_keys': idempotencyKeys,
}
