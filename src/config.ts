import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/** The only reader of the environment. Every fault is reported at once, by the name of its variable. */

export type DatabaseSettings =
  | { engine: 'sqlite'; file: string }
  | { engine: 'postgres'; url: string }
  | { engine: 'mysql'; url: string }

/** What `.env.example` shows, and what production therefore refuses. */
export const SAMPLE_SECRET = 'change-me-to-at-least-32-random-characters'

const listOf = (separator: RegExp) =>
  z.string().transform(text =>
    text
      .split(separator)
      .map(entry => entry.trim())
      .filter(Boolean),
  )

const onOff = z.enum(['on', 'off']).transform(value => value === 'on')

const Secret = z
  .string()
  .min(32, { error: 'must have at least 32 characters; `openssl rand -base64 48` makes a good one', abort: true })
  .refine(text => new Set(text).size >= 10, 'repeats too few different characters to be random')

/** A STUN or TURN address has no host in the sense of a URL, so it is only looked at. */
const IceUrls = (scheme: RegExp) =>
  listOf(/,/).refine(
    urls => urls.every(url => scheme.test(url)),
    `must be addresses such as ${scheme.test('stun:a') ? 'stun:stun.example.com:3478' : 'turn:turn.example.com:3478?transport=udp'}`,
  )

const DatabaseUrl = z.string().transform((url, context): DatabaseSettings => {
  const file = /^sqlite:(?!:memory:|file:)(.+)$/.exec(url)?.[1]
  if (file) return { engine: 'sqlite', file }
  if (URL.canParse(url) && isDecodable(url)) {
    if (/^postgres(ql)?:/.test(url)) return { engine: 'postgres', url }
    if (/^(mysql|mariadb):/.test(url)) return { engine: 'mysql', url: url.replace(/^mariadb:/, 'mysql:') }
  }
  // The value stays unsaid: it may hold a password.
  context.addIssue('must be sqlite:<file>, postgres://… or mysql://…, with every % in it written as %25')
  return z.NEVER
})

/** Unsaid when it is wrong, as well. */
const SmtpUrl = z
  .string()
  .refine(
    url => /^smtps?:/.test(url) && URL.canParse(url) && new URL(url).hostname !== '' && isDecodable(url),
    'must be smtp://… or smtps://…, with every % in it written as %25',
  )

/** Unsaid as well: some put a key into it. */
const OpenaiUrl = z
  .string()
  .refine(
    url => /^https?:/.test(url) && URL.canParse(url) && !/[?#@]/.test(url),
    'must be https://… or http://…, without a query or a password',
  )

const MailFrom = z.string().transform((text, context) => {
  const [, written = '', address = text] = /^([^<>\p{Cc}]*)<([^<>]*)>$/u.exec(text) ?? []
  const name = written.trim().replace(/^"(.*)"$/, '$1')
  if (z.regexes.html5Email.test(address)) return { name: name || null, address }
  context.addIssue('must be an address, or a name and an address: Parley <parley@example.com>')
  return z.NEVER
})

/** Each setting of `.env.example`, in its order. */
export const Settings = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  STORAGE_DIR: z.string().default('storage'),
  DATABASE_URL: DatabaseUrl.optional(),
  JWT_SECRET: Secret.optional(),
  SMTP_URL: SmtpUrl.optional(),
  MAIL_FROM: MailFrom.prefault('Parley <parley@localhost>'),
  REQUIRE_VERIFIED_EMAIL: onOff.optional(),
  QUICK_ROOMS: onOff.optional(),
  PRESENCE_TIMEOUT_S: z.coerce.number().int().min(5).max(3600).default(45),
  EMPTY_TIMEOUT_S: z.coerce.number().int().min(5).max(86_400).default(300),
  STUN_URLS: IceUrls(/^stuns?:\S+$/).prefault(''),
  TURN_URLS: IceUrls(/^turns?:\S+$/).prefault(''),
  TURN_SECRET: Secret.optional(),
  NOTES_ENGINE: z.enum(['local', 'openai']).default('local'),
  OPENAI_URL: OpenaiUrl.optional(),
  OPENAI_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be one word of visible ASCII characters')
    .optional(),
  OPENAI_MODEL: z.string().max(200).optional(),
  RECORDING_MAX_MB: z.coerce.number().int().min(1).max(1_000_000).default(4096),
  RECORDINGS_MAX_GB: z.coerce.number().min(0.001).max(1_000_000).default(50),
  RECORDINGS_KEPT_DAYS: z.coerce.number().int().min(1).max(36_500).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  METRICS_TOKEN: Secret.optional(),
  TRUSTED_PROXIES: listOf(/,/)
    .refine(entries => entries.every(isNetwork), 'must be addresses or networks, such as 10.0.0.0/8, ::1')
    .prefault(''),
  CORS_ORIGINS: listOf(/,/)
    .refine(entries => entries.every(isOrigin), 'must be origins, such as https://app.example.com, or *')
    .prefault(''),
  RATE_LIMITS: z
    .string()
    .regex(/^(on|off|\d+(\.\d+)?)$/, 'must be on, off, or a factor such as 2.5')
    .refine(text => Number(text) !== 0, 'must not be 0: say off, or a factor above 0')
    .default('on')
    .transform(text => (text === 'off' ? Number.POSITIVE_INFINITY : text === 'on' ? 1 : Number(text))),
  DEMO: onOff.optional(),
})

export type Config = ReturnType<typeof readConfig>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export function readConfig(env: NodeJS.ProcessEnv) {
  const settings = parse(Settings, env, given => [
    ...productionFaults(given),
    ...turnFaults(given),
    ...notesFaults(given),
  ])
  const production = settings.NODE_ENV === 'production'
  return {
    production,
    host: settings.HOST,
    port: settings.PORT,
    public_url: settings.PUBLIC_URL?.replace(/\/+$/, ''),
    storage_dir: settings.STORAGE_DIR,
    database: settings.DATABASE_URL ?? defaultDatabase(settings.STORAGE_DIR),
    jwt_secret: settings.JWT_SECRET,
    smtp_url: settings.SMTP_URL,
    mail_from: settings.MAIL_FROM,
    require_verified_email: settings.REQUIRE_VERIFIED_EMAIL ?? production,
    quick_rooms: settings.QUICK_ROOMS ?? !production,
    presence_timeout_s: settings.PRESENCE_TIMEOUT_S,
    empty_timeout_s: settings.EMPTY_TIMEOUT_S,
    stun_urls: settings.STUN_URLS,
    turn_urls: settings.TURN_URLS,
    turn_secret: settings.TURN_SECRET,
    /** Of the endpoint that writes notes, where one does. */
    openai: settings.NOTES_ENGINE === 'openai' ? openaiOf(settings) : undefined,
    recording_max_bytes: settings.RECORDING_MAX_MB * 1024 ** 2,
    recordings_max_bytes: Math.floor(settings.RECORDINGS_MAX_GB * 1024 ** 3),
    recordings_kept_days: settings.RECORDINGS_KEPT_DAYS,
    log_level: settings.LOG_LEVEL,
    metrics_token: settings.METRICS_TOKEN,
    trusted_proxies: settings.TRUSTED_PROXIES,
    cors_origins: settings.CORS_ORIGINS,
    rate_limit_factor: settings.RATE_LIMITS,
    demo: settings.DEMO ?? !production,
  }
}

/** How the server is reached: by its public name, or else by where it listens. */
export function originOf({ public_url, host }: Pick<Config, 'public_url' | 'host'>, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return public_url ?? `http://${name}:${port}`
}

/** The process's own environment, and a `.env` file where there is one; what is set already wins. */
export function processEnv(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env')
  return process.env
}

/** Just the database, for the knex command, which needs no secret. */
export function readDatabase(env: NodeJS.ProcessEnv): DatabaseSettings {
  const { STORAGE_DIR, DATABASE_URL } = parse(Settings.pick({ STORAGE_DIR: true, DATABASE_URL: true }), env)
  return DATABASE_URL ?? defaultDatabase(STORAGE_DIR)
}

const openaiOf = ({ OPENAI_URL: url = '', OPENAI_MODEL: model = '', OPENAI_KEY: key }: z.output<typeof Settings>) => ({
  url,
  model,
  key,
})

const defaultDatabase = (storageDir: string): DatabaseSettings => ({
  engine: 'sqlite',
  file: join(storageDir, 'parley.sqlite'),
})

function parse<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
  furtherFaults: (given: { [name: string]: string | undefined }) => string[] = () => [],
): z.output<Schema> {
  // `PORT=` in a file means "not set", not "the empty text".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given)
  const faults = parsed.error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) ?? []
  const all = [...faults, ...furtherFaults(given)]
  if (parsed.success && all.length === 0) return parsed.data
  throw new ConfigError(all.join('\n'))
}

function productionFaults(given: { [name: string]: string | undefined }): string[] {
  const { NODE_ENV, JWT_SECRET, SMTP_URL, PUBLIC_URL, MAIL_FROM } = given
  if (NODE_ENV !== 'production') return []
  const mail =
    SMTP_URL !== undefined
      ? [
          ...(PUBLIC_URL === undefined ? ['PUBLIC_URL: is required with SMTP_URL, for mails have links'] : []),
          ...(MAIL_FROM === undefined ? ['MAIL_FROM: is required with SMTP_URL'] : []),
        ]
      : []
  if (JWT_SECRET === undefined) return ['JWT_SECRET: is required in production', ...mail]
  const isSample = /change-?me|your-?secret|sample|example/i.test(JWT_SECRET)
  return [...(isSample ? ['JWT_SECRET: is a sample; `openssl rand -base64 48` makes a good one'] : []), ...mail]
}

/** Without the secret that it shares with us, a TURN server lets nobody in. */
const turnFaults = ({ TURN_URLS, TURN_SECRET }: { [name: string]: string | undefined }) =>
  TURN_URLS !== undefined && TURN_SECRET === undefined ? ['TURN_SECRET: is required with TURN_URLS'] : []

/** Whether there is a key is for the endpoint to say. */
const notesFaults = ({ NOTES_ENGINE, ...given }: { [name: string]: string | undefined }) =>
  NOTES_ENGINE === 'openai'
    ? ['OPENAI_URL', 'OPENAI_MODEL'].flatMap(name =>
        given[name] === undefined ? [`${name}: is required with NOTES_ENGINE=openai`] : [],
      )
    : []

function isNetwork(entry: string): boolean {
  return entry.includes('/') ? ipaddr.isValidCIDR(entry) : ipaddr.isValid(entry)
}

function isOrigin(entry: string): boolean {
  return entry === '*' || (URL.canParse(entry) && new URL(entry).origin === entry)
}

/** Drivers decode names and passwords, and a stray % makes them throw. */
function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== ''
  } catch {
    return false
  }
}
