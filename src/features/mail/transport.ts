import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import nodemailer, { type NodemailerError } from 'nodemailer'
import type { Log } from '../../kernel/log.ts'
import { isOneAddress, type Letter, type Mailbox, messageOf, type Postmark } from './letter.ts'

/**
 * How one attempt ended. `refused`: this letter will never be taken. `deferred`: not now. `unreachable`: it is not about
 * this letter, another would fare no better. The code names the reason and holds no address.
 */
export type Outcome = { kind: 'sent' } | { kind: 'refused' | 'deferred' | 'unreachable'; code: string }

export interface Transport {
  send(mail: Postmark, letter: Letter): Promise<Outcome>
  close(): void
}

interface Deps {
  smtp_url: string | undefined
  mail_from: Mailbox
  storage_dir: string
  log: Log
}

/** So many letters of a node are under way at once, each on a connection of its own. */
export const lanes = 5
/** Well below the lease of a mail, so that a letter is given up before another node may try it. */
const longestSend_ms = 60_000

/** Through the mail server of SMTP_URL, or where there is none, into files that show what would have been sent. */
export const createTransport = ({ smtp_url, ...deps }: Deps): Transport =>
  smtp_url ? throughServer(smtp_url, deps) : intoFiles(deps)

function throughServer(url: string, { mail_from }: Pick<Deps, 'mail_from'>): Transport {
  const server = nodemailer.createTransport({
    ...sealed,
    url,
    pool: true,
    maxConnections: lanes,
    maxRequeues: 2, // for a connection that the server has closed meanwhile; a server that is away is not asked for long
    dnsTimeout: 10_000,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    idleTimeout: 20_000,
  })
  return {
    async send(mail, letter) {
      if (!isOneAddress(letter.to.address)) return noAddress
      try {
        // The socket's own limit begins anew with each byte, which a server may let drip.
        await server.sendMail({ ...messageOf(mail_from, mail, letter), signal: AbortSignal.timeout(longestSend_ms) })
        return { kind: 'sent' }
      } catch (error) {
        return outcomeOf(error)
      }
    },

    /** Letters under way are still sent; no other is taken. */
    close: () => server.close(),
  }
}

function intoFiles({ mail_from, storage_dir, log }: Pick<Deps, 'mail_from' | 'storage_dir' | 'log'>): Transport {
  const writer = nodemailer.createTransport({ ...sealed, streamTransport: true, buffer: true, newline: 'windows' })
  const folder = join(storage_dir, 'outbox')
  return {
    async send(mail, letter) {
      if (!isOneAddress(letter.to.address)) return noAddress
      const file = `${mail.id}.eml`
      const unfinished = join(folder, `${mail.id}.unfinished`)
      try {
        const { message } = await writer.sendMail(messageOf(mail_from, mail, letter))
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeFile(unfinished, message, { mode: 0o600, flush: true })
        await rename(unfinished, join(folder, file))
      } catch (error) {
        return outcomeOf(error)
      }
      log.info({ file }, 'mail written to a file, for there is no SMTP_URL')
      return { kind: 'sent' }
    },

    close: () => {},
  }
}

/** A letter is what it says, and no reason to read a file or to fetch a page. */
const sealed = { disableFileAccess: true, disableUrlAccess: true }

const noAddress: Outcome = { kind: 'refused', code: 'address' }

function outcomeOf(error: unknown): Outcome {
  const { name, code, originalCode, responseCode, response, command, permanent }: Partial<NodemailerError> =
    error instanceof Error ? error : {}
  const answer = response?.match(/^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/)?.[0] // what follows may quote the address
  const said = [originalCode ?? code ?? name ?? 'unknown', ...(answer ? [answer] : [])].join(' ').slice(0, 60)

  const aboutLetter = code === 'EENVELOPE' || code === 'EMESSAGE'
  const aboutSender = command === 'MAIL FROM' && responseCode !== undefined && responseCode !== TOO_LARGE
  if (!aboutLetter || aboutSender || responseCode === GOING_DOWN || responseCode === LOGIN_NEEDED) {
    return { kind: 'unreachable', code: said }
  }
  // Without an answer it was nodemailer that would not hand it over: too large for what the server announces, say.
  return { kind: permanent || responseCode === undefined ? 'refused' : 'deferred', code: said }
}

const GOING_DOWN = 421
const LOGIN_NEEDED = 530
const TOO_LARGE = 552
