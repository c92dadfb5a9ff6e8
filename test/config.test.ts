import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig, readDatabase, SAMPLE_SECRET, Settings } from '../src/config.ts'

const strong = 'kX2v9LqTz7RmW4pYcB8nJd3sHf6gAe1u'
const production = { NODE_ENV: 'production', JWT_SECRET: strong }

const faultsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    readConfig(env)
    return 'none'
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

describe('the settings', () => {
  it('need nothing outside production', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 3000,
      database: { engine: 'sqlite', file: 'storage/parley.sqlite' },
      jwt_secret: undefined,
      smtp_url: undefined,
      mail_from: { name: 'Parley', address: 'parley@localhost' },
      demo: true,
      rate_limit_factor: 1,
    })
  })

  it('tell every fault at once, by name, and no value', () => {
    const faults = faultsOf({
      PORT: 'many',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'oracle://me:hunter2@db',
      JWT_SECRET: 'short',
      SMTP_URL: 'http://me:hunter2@mail',
    })
    expect(faults.split('\n').map(line => line.split(':')[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'JWT_SECRET',
      'SMTP_URL',
      'LOG_LEVEL',
    ])
    expect(faults).not.toMatch(/hunter2|short/)
  })

  it.each([
    ['a secret', undefined, 'JWT_SECRET: is required in production'],
    ['one that is long enough', 'too short', 'JWT_SECRET: must have at least 32 characters'],
    ['one that is not the sample', SAMPLE_SECRET, 'JWT_SECRET: is a sample'],
    ['one that nobody has copied', 'your-secret-goes-here-in-production!', 'JWT_SECRET: is a sample'],
    ['one that is not one letter over and over', 'a'.repeat(40), 'JWT_SECRET: repeats too few'],
  ])('need %s in production', (_, JWT_SECRET, fault) => {
    expect(faultsOf({ NODE_ENV: 'production', JWT_SECRET })).toContain(fault)
    expect(faultsOf(production)).toBe('none')
  })

  it('need to know, in production, where links lead and whom letters are from, once there is a mail server', () => {
    const mail = { ...production, SMTP_URL: 'smtp://mail.example.com' }
    const PUBLIC_URL = 'https://meet.example.com'
    const MAIL_FROM = 'Parley <parley@example.com>'
    const named = (env: NodeJS.ProcessEnv) =>
      faultsOf(env)
        .split('\n')
        .map(line => line.split(':')[0])
    expect(named(mail)).toEqual(['PUBLIC_URL', 'MAIL_FROM'])
    expect(named({ ...mail, MAIL_FROM })).toEqual(['PUBLIC_URL'])
    expect(named({ ...mail, PUBLIC_URL })).toEqual(['MAIL_FROM'])
    expect(named({ ...mail, JWT_SECRET: undefined })).toEqual(['JWT_SECRET', 'PUBLIC_URL', 'MAIL_FROM'])
    expect(faultsOf({ ...mail, PUBLIC_URL, MAIL_FROM })).toBe('none')
    expect(faultsOf({ SMTP_URL: mail.SMTP_URL })).toBe('none')
  })

  it('need the secret of the TURN server with its address', () => {
    const TURN_URLS = 'turn:turn.example.com:3478'
    expect(faultsOf({ TURN_URLS })).toMatch(/^TURN_SECRET: is required/)
    expect(faultsOf({ ...production, TURN_URLS })).toMatch(/^TURN_SECRET: is required/)
    expect(faultsOf({ TURN_URLS, TURN_SECRET: 'shared with it: 0123456789abcdefghijkl' })).toBe('none')
    expect(faultsOf({ TURN_URLS: '' })).toBe('none')
  })

  it('need an endpoint and a model where such a one writes the notes, and no key', () => {
    const openai = { NOTES_ENGINE: 'openai', OPENAI_URL: 'http://127.0.0.1:11434/v1', OPENAI_MODEL: 'a-model' }
    expect(readConfig({}).openai).toBeUndefined()
    expect(readConfig({ ...openai, NOTES_ENGINE: 'local' }).openai).toBeUndefined()
    expect(readConfig(openai).openai).toMatchObject({ url: openai.OPENAI_URL, model: 'a-model', key: undefined })
    expect(faultsOf({ ...openai, OPENAI_URL: undefined })).toMatch(/^OPENAI_URL: is required/)
    expect(faultsOf({ ...openai, OPENAI_MODEL: undefined })).toMatch(/^OPENAI_MODEL: is required/)
  })

  it('tell of a missing secret also when something else is wrong', () => {
    expect(faultsOf({ NODE_ENV: 'production', PORT: 'x' }).split('\n')).toHaveLength(2)
  })

  it('keep the demo out of production, unless it is asked for', () => {
    expect(readConfig(production).demo).toBe(false)
    expect(readConfig({ ...production, DEMO: 'on' }).demo).toBe(true)
    expect(readConfig({ DEMO: 'off' }).demo).toBe(false)
  })

  it.each([
    [{ DATABASE_URL: 'sqlite:/data/p.sqlite' }, { engine: 'sqlite', file: '/data/p.sqlite' }],
    [{ DATABASE_URL: 'postgresql://u@h/d' }, { engine: 'postgres', url: 'postgresql://u@h/d' }],
    [{ DATABASE_URL: 'mariadb://u@h/d' }, { engine: 'mysql', url: 'mysql://u@h/d' }],
    [{ STORAGE_DIR: '/data' }, { engine: 'sqlite', file: '/data/parley.sqlite' }],
    [
      { DATABASE_URL: '', STORAGE_DIR: '' },
      { engine: 'sqlite', file: 'storage/parley.sqlite' },
    ],
  ])('find the database of %o', (env, database) => {
    expect(readConfig(env).database).toEqual(database)
    expect(readDatabase(env)).toEqual(database)
  })

  it.each([
    ['parley@example.com', { name: null, address: 'parley@example.com' }],
    ['<parley@example.com>', { name: null, address: 'parley@example.com' }],
    ['Parley at Home <p@example.com>', { name: 'Parley at Home', address: 'p@example.com' }],
    ['"Grüße, Inc." <p@example.com>', { name: 'Grüße, Inc.', address: 'p@example.com' }],
  ])('find who letters are from in %s', (MAIL_FROM, mail_from) => {
    expect(readConfig({ MAIL_FROM }).mail_from).toEqual(mail_from)
  })

  it('take a mail server as it is written', () => {
    const SMTP_URL = 'smtps://me:pass%25word@mail.example.com:465?tls.servername=mail'
    expect(readConfig({ SMTP_URL }).smtp_url).toBe(SMTP_URL)
  })

  it.each([
    { RATE_LIMITS: 'often' },
    { RATE_LIMITS: '0' },
    { TRUSTED_PROXIES: '10.0.0.0/99' },
    { CORS_ORIGINS: 'https://app.example.com/path' },
    { PUBLIC_URL: 'ftp://example.com' },
    { DEMO: 'yes' },
    { DATABASE_URL: 'sqlite:' },
    { DATABASE_URL: 'sqlite::memory:' },
    { DATABASE_URL: 'mysql://me:100%@h/d' },
    { METRICS_TOKEN: 'short' },
    { SMTP_URL: 'mail.example.com:25' },
    { SMTP_URL: 'smtp://' },
    { NOTES_ENGINE: 'oracle' },
    { OPENAI_URL: 'ftp://example.com' },
    { OPENAI_URL: 'https://me:hunter2@example.com/v1' },
    { OPENAI_KEY: 'two words' },
    { SMTP_URL: 'smtp://me:100%@mail' },
    { MAIL_FROM: 'Parley' },
    { MAIL_FROM: 'Parley <parley@localhost' },
    { MAIL_FROM: 'parley@localhost, eve@localhost' },
    { MAIL_FROM: 'Parley <parley@localhost>\r\nBcc: eve@localhost' },
    { MAIL_FROM: 'Par\r\nBcc: eve@localhost\r\nley <parley@localhost>' },
  ])('refuse %o', env => {
    expect(faultsOf(env)).toContain(`${Object.keys(env)[0]}: `)
  })
})

describe('.env.example', () => {
  const example = readFileSync('.env.example', 'utf8')
  const lines = [...example.matchAll(/^#? ?([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => ({ name, value }))

  it('has each setting once, in the order of the schema, after a word on what it is', () => {
    expect(lines.map(({ name }) => name)).toEqual(Object.keys(Settings.shape))
    for (const { name } of lines) expect(example, name).toMatch(new RegExp(`^# .+\\n(# .+\\n)*#? ?${name}=`, 'm'))
  })

  it('shows values that are taken, but for the secret, which is the sample', () => {
    const shown = Object.fromEntries(lines.filter(({ value }) => value).map(({ name, value }) => [name, value]))
    shown.TURN_SECRET = 'shared with the TURN server: 0123456789' // which has no sample, and must not be without
    expect(shown.JWT_SECRET).toBe(SAMPLE_SECRET)
    expect(faultsOf({ ...shown, NODE_ENV: 'development' })).toBe('none')
    expect(faultsOf({ ...shown, NODE_ENV: 'production' })).toContain('JWT_SECRET: is a sample')
  })
})
