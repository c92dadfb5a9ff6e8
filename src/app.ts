import type { KeyObject } from 'node:crypto'
import { type Config, originOf } from './config.ts'
import type { Db } from './db/transaction.ts'
import { createEvents } from './events/events.ts'
import { accountJobs } from './features/accounts/jobs.ts'
import type { Passwords } from './features/accounts/passwords.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { createAccounts } from './features/accounts/service.ts'
import { chatRoutes } from './features/chat/routes.ts'
import { createChat } from './features/chat/service.ts'
import type { InvitationMail } from './features/invitations/letters.ts'
import { createLetters } from './features/invitations/letters.ts'
import { invitationRoutes } from './features/invitations/routes.ts'
import { createInvitations } from './features/invitations/service.ts'
import { createMail } from './features/mail/service.ts'
import { createTransport } from './features/mail/transport.ts'
import { createMesh } from './features/media/mesh.ts'
import { createCalendars } from './features/meetings/calendars.ts'
import { meetingRoutes } from './features/meetings/routes.ts'
import { createMeetings } from './features/meetings/service.ts'
import { createLocalEngine } from './features/notes/local/engine.ts'
import { createOpenaiEngine } from './features/notes/openai.ts'
import { noteRoutes } from './features/notes/routes.ts'
import { createNotes } from './features/notes/service.ts'
import { presenceRoutes, roomRoutes } from './features/presence/routes.ts'
import { createPresence } from './features/presence/service.ts'
import { recordingRoutes } from './features/recordings/routes.ts'
import { createRecordings } from './features/recordings/service.ts'
import { signalingRoutes } from './features/signaling/routes.ts'
import { createSignaling } from './features/signaling/service.ts'
import { transcriptRoutes } from './features/transcripts/routes.ts'
import { createTranscripts } from './features/transcripts/service.ts'
import { type Claims, createAuth } from './http/auth.ts'
import { createClients } from './http/client.ts'
import { docsPage, docsRoute } from './http/docs.ts'
import { healthRoutes } from './http/health.ts'
import { createHttp } from './http/http.ts'
import { createIdempotency } from './http/idempotency/service.ts'
import { metricsRoutes } from './http/metrics.ts'
import { mount } from './http/mount.ts'
import { describeApi, openapiRoute } from './http/openapi.ts'
import type { Route } from './http/route.ts'
import { createSwift } from './http/swift.ts'
import { createUpgrade } from './http/upgrade.ts'
import { createSweeper } from './jobs/sweeper.ts'
import type { Clock } from './kernel/clock.ts'
import { createLimiter } from './kernel/limiter.ts'
import type { Log } from './kernel/log.ts'
import type { Metrics } from './kernel/metrics.ts'
import { once } from './kernel/once.ts'
import type { Wakeups } from './wakeups/local.ts'

interface Deps {
  config: Config
  /** Signs and verifies access tokens. */
  key: KeyObject
  db: Db
  clock: Clock
  log: Log
  metrics: Metrics
  wakeups: Wakeups
  /** A hash takes a while, as it should; tests, which make many people, make each hash once. */
  passwords?: Passwords
  version: string
}

export type App = ReturnType<typeof createApp>

/** The composition root: plain calls in the order of who needs whom. */
export function createApp({ config, key, db, clock, log, metrics, wakeups, passwords, version }: Deps) {
  let stopping = false
  const isStopping = () => stopping
  const limiter = createLimiter(clock, config.rate_limit_factor)
  const events = createEvents(clock)
  const { mail_from, require_verified_email, presence_timeout_s, empty_timeout_s } = config
  const accounts = createAccounts({ db, clock, events, limiter, passwords, key, require_verified_email })
  const mail = createMail<InvitationMail>({
    db,
    clock,
    log,
    transport: createTransport({ ...config, log }),
    compose: createLetters({ db, clock, key, origin: originOf(config, config.port) }),
  })
  const meetings = createMeetings({ db, clock, events, accounts, key })
  const calendars = createCalendars({ db, clock, accounts, mail_address: mail_from.address })
  const invitations = createInvitations({ db, clock, events, accounts, meetings, calendars, mail, limiter, key })
  const media = createMesh({ ...config, clock })
  const presence = createPresence({
    db,
    clock,
    log,
    events,
    wakeups,
    accounts,
    meetings,
    media,
    presence_timeout_s,
    empty_timeout_s,
  })

  const shared = config.database.engine !== 'sqlite'
  const signaling = createSignaling({ db, clock, events, limiter, log, metrics, wakeups, presence, shared })
  const chat = createChat({ db, clock, events, limiter, presence, signaling })
  const recordings = createRecordings({
    ...config,
    db,
    clock,
    events,
    log,
    meetings,
    presence,
    signaling,
    origin: originOf(config, config.port),
  })
  const transcripts = createTranscripts({ db, clock, events, presence })

  const engine = config.openai ? createOpenaiEngine({ ...config.openai, log }) : createLocalEngine()
  const notes = createNotes({ db, clock, log, events, wakeups, meetings, presence, chat, transcripts, engine })

  const routes: Route[] = [
    ...accountRoutes(accounts),
    ...meetingRoutes(meetings, calendars),
    ...invitationRoutes(invitations),
    ...presenceRoutes(presence),
    ...signalingRoutes(signaling),
    ...chatRoutes(chat),
    ...recordingRoutes(recordings),
    ...transcriptRoutes(transcripts),
    ...noteRoutes(notes),
    ...(config.quick_rooms ? roomRoutes(presence) : []),
    ...healthRoutes({ db, storage_dir: config.storage_dir, isStopping }),
    ...metricsRoutes({ metrics, db }),
    openapiRoute(once(() => JSON.stringify(document()))),
    docsRoute(once(() => docsPage(document(), originOf(config, config.port)))),
  ]
  // No start waits for it.
  const document = once(() => describeApi(routes, { version, public_url: config.public_url }))

  const idempotency = createIdempotency({ db, clock })
  const auth = createAuth({ key, clock, metrics_token: config.metrics_token, identify })
  const clientOf = createClients(config.trusted_proxies)
  const { cors_origins } = config
  const secure = config.public_url?.startsWith('https:') ?? false
  const koa = createHttp({ cors_origins, secure, isStopping, log, metrics })
  mount({ koa, routes, auth, clientOf, limiter, idempotency })
  const jobs = [
    ...accountJobs({ db, clock }),
    idempotency.sweep,
    ...invitations.jobs,
    ...presence.jobs,
    ...signaling.jobs,
    ...notes.jobs,
    ...recordings.jobs,
  ]
  const sweeper = createSweeper({ db, clock, log, jobs })
  // Apart from the others, for it waits for a mail server.
  const mailSweeper = createSweeper({ db, clock, log, jobs: mail.jobs })

  return {
    accounts,
    routes,
    document,
    sweeper,
    mailSweeper,
    signaling,
    recordings,
    attach: createUpgrade({ routes, cors_origins, public_url: config.public_url, log }),
    handler: createSwift({ routes, auth, clientOf, isStopping, log, metrics, secure, cors_origins }, koa.callback()),
    /** From now on the node says that it is not ready, so that no new traffic is sent to it. */
    prepareToStop: () => {
      stopping = true
      signaling.stop()
      wakeups.stop()
      notes.stop()
      mail.close()
    },
  }

  /** A login or a guest of a meeting, while there is such a one. */
  function identify(claims: Claims) {
    return claims.kind === 'access' ? accounts.identify(claims) : meetings.identify(claims)
  }
}
