import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type App, createApp } from '../../src/app.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/open.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { createPasswords, type Passwords } from '../../src/features/accounts/passwords.ts'
import type { Tokens } from '../../src/features/accounts/schema.ts'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import type { Meeting } from '../../src/features/meetings/schema.ts'
import type { Knocked } from '../../src/features/presence/schema.ts'
import type { ApiDocument } from '../../src/http/openapi.ts'
import { createDrain, createHttpServer, listen } from '../../src/http/server.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import { createLog } from '../../src/kernel/log.ts'
import { createMetrics } from '../../src/kernel/metrics.ts'
import { createWakeups } from '../../src/wakeups/local.ts'
import { relayThroughPostgres } from '../../src/wakeups/postgres.ts'
import { whenDone } from './cleanup.ts'
import { type Client, createClient } from './client.ts'
import { testClock } from './clock.ts'
import { copyOf } from './database.ts'

export const TEST_SECRET = 'the secret of tests: 0123456789abcdef'
export const PASSWORD = 'correct horse battery'

/** Real hashes, each made once: thousands of people in the tests have the same password. */
const hashes = new Map<string, Promise<string>>()
const { hash, matches } = createPasswords()
const passwords: Passwords = {
  matches,
  hash(password) {
    const made = hashes.get(password) ?? hash(password)
    hashes.set(password, made)
    return made
  },
}

/** One document for all servers of the same settings: to write it, and to learn to check by it, takes a while. */
const documents = new Map<string, ApiDocument>()
function documentOf({ database, storage_dir, ...said }: Config, app: App): ApiDocument {
  const settings = JSON.stringify(said)
  const document = documents.get(settings) ?? app.document()
  documents.set(settings, document)
  return document
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Somebody with an account, and the way to call as them. */
export type Person = Client & { user: Tokens['user']; tokens: Tokens }

/** A meeting and whose it is. */
export interface Held {
  owner: Person
  meeting: Meeting
  at: (path?: string) => string
}

/**
 * A server on a database of its own, with a clock that stands still, gone when the file's tests are done. Limits are
 * off unless `env` says otherwise, since a test calls faster than people do.
 */
export async function createWorld(env: NodeJS.ProcessEnv = {}) {
  const { settings, drop } = await copyOf(inject('template'))
  const storage_dir = mkdtempSync(join(tmpdir(), 'parley-storage-'))
  const settled = readConfig({ NODE_ENV: 'test', STORAGE_DIR: storage_dir, RATE_LIMITS: 'off', ...env })
  const config = { ...settled, database: settings }
  const database = await openDatabase(settings)
  const { db } = database
  const clock = testClock()
  const key = createSecretKey(Buffer.from(TEST_SECRET))
  const lines: string[] = []
  const log = createLog('debug', { write: line => lines.push(line) })
  const stops: (() => Promise<void>)[] = []
  let people = 0

  /** One node; a second one shares the database and the clock, and nothing else. */
  async function startNode() {
    const wakeups = createWakeups()
    const app = createApp({
      config,
      key,
      db,
      clock,
      log,
      metrics: createMetrics(),
      wakeups,
      passwords,
      version: '0.0.0',
    })
    const relay =
      settings.engine === 'postgres' ? relayThroughPostgres({ url: settings.url, db, wakeups, log }) : undefined
    await relay?.ready
    const stopSignaling = app.signaling.start(1000)
    const server = createHttpServer(app.handler)
    app.attach(server)
    const drain = createDrain(server)
    const { port } = await listen(server, 0, '127.0.0.1')
    stops.push(async () => {
      app.prepareToStop()
      await drain(0)
      await Promise.all([stopSignaling(), app.recordings.settled()])
      await relay?.stop()
    })
    const origin = `http://127.0.0.1:${port}`
    const document = documentOf(config, app)
    return { app, server, origin, wakeups, anyone: createClient({ origin, document }) }
  }

  const node = await startNode()

  whenDone(async () => {
    for (const stop of stops) await stop()
    await database.close()
    await drop()
    rmSync(storage_dir, { recursive: true, force: true })
  })

  return {
    ...node,
    database,
    db,
    clock,
    key,
    storage_dir,
    config,
    /** What has been logged, a JSON text each. */
    lines,
    startNode,

    make: {
      /** Somebody with an account, logged in. */
      async user(given: { email?: string; name?: string; tenant_id?: string } = {}): Promise<Person> {
        const { tenant_id = DEFAULT_TENANT, ...profile } = given
        const number = ++people
        const account = {
          email: `person${number}@example.com`,
          name: `Person ${number}`,
          time_zone: 'UTC',
          password: PASSWORD,
          ...profile,
        }
        const tokens = await node.app.accounts.register(tenant_id, account, { network: 'test', user_agent: 'test' })
        return this.caller(tokens)
      },

      /** Whoever holds these tokens. */
      caller(tokens: Tokens): Person {
        const client = node.anyone.with({ headers: { Authorization: `Bearer ${tokens.access_token}` } })
        return { ...client, user: tokens.user, tokens }
      },

      /** A meeting of somebody's, and where it is: `at('/join')`. Live at once, unless it has a time. */
      async meeting(body: object = {}, owner?: Person) {
        const by = owner ?? (await this.user())
        const reply = await by.post('/api/meetings', { title: 'A meeting', ...body })
        if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
        const meeting: Meeting = reply.body
        return { owner: by, meeting, at: (path = '') => `/api/meetings/${meeting.id}${path}` }
      },

      /** Somebody with an account who is invited, and who has answered so. */
      async invitee(
        { owner, at }: Pick<Held, 'owner' | 'at'>,
        { answer = 'accept', role, user }: { answer?: 'accept' | 'reject' | 'none'; role?: string; user?: Person } = {},
      ) {
        const person = user ?? (await this.user())
        const reply = await owner.post(at('/invitations'), { invitees: [{ user_id: person.user.id, role }] })
        if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
        const [invitation]: Invitation[] = reply.body.data
        if (!invitation) throw new Error('Nobody was invited')
        if (answer !== 'none') await person.post(`/api/invitations/${invitation.id}/${answer}`)
        return { ...person, invitation, invited: `/api/invitations/${invitation.id}` }
      },

      /** Somebody without an account who has knocked with the join code. */
      async guest({ meeting }: Pick<Held, 'meeting'>, display_name = 'Guest') {
        const reply = await node.anyone.post(`/api/join/${meeting.join_code}`, { display_name })
        const { participant, participant_token }: Knocked = reply.body
        if (reply.status !== 202 || !participant_token) throw new Error(JSON.stringify(reply.body))
        const client = node.anyone.with({ headers: { Authorization: `Bearer ${participant_token}` } })
        return { ...client, participant, token: participant_token }
      },

      async tenant(id: string): Promise<string> {
        await inTransaction(db, db => db('tenants').insert({ id, name: id, created_at: clock.now() }))
        return id
      },
    },
  }
}
