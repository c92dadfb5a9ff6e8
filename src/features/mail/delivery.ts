import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Letter, Mail, Posted } from './letter.ts'
import * as store from './store.ts'
import { lanes, type Outcome, type Transport } from './transport.ts'

/**
 * Sends what is due. A mail is leased before it is sent and marked afterwards, each in a transaction of its own, so a
 * process that dies in between leaves a lease that runs out: then the same letter goes out again, under its Message-ID.
 * A letter may so come twice, and is never lost.
 */

const batch = 50
const lease_s = 120
const pauses_s = [10, 30, 60, 300, 900]
const longestPause_s = 3600
/** So long a mail is tried before it is given up. */
const patience_s = 3 * 24 * 3600

export interface Deps<AnyMail extends Mail> {
  db: Db
  clock: Clock
  log: Log
  /** Undefined when there is no reason to send it any more. */
  compose: (mail: Posted<AnyMail>) => Promise<Letter | undefined>
  transport: Transport
}

export function createDelivery<AnyMail extends Mail>({ db, clock, log, compose, transport }: Deps<AnyMail>) {
  let stopped = false

  /** One mail from lease to outcome; undefined when somebody else has it. */
  async function deliver(id: string): Promise<Outcome['kind'] | undefined> {
    const lease = { id, now: clock.now(), leased_until: clock.in(lease_s) }
    const mail = await inTransaction(db, db => store.claim<AnyMail>(db, lease))
    if (!mail) return undefined
    const outcome = await attempt(mail)
    if (outcome.kind === 'sent') await inTransaction(db, db => store.markSent(db, id, clock.now()))
    else await setBack(mail, outcome.code, outcome.kind === 'refused')
    return outcome.kind
  }

  async function attempt(mail: store.Claimed<AnyMail>): Promise<Outcome> {
    const { id, kind } = mail
    try {
      const letter = await compose(mail)
      const outcome = letter ? await transport.send(mail, letter) : unneeded
      if (outcome.kind === 'sent') log.info({ mail_id: id, kind }, letter ? 'mail sent' : 'mail not needed any more')
      return outcome
    } catch (error) {
      log.error({ mail_id: id, kind, ...traceOf(error) }, 'mail could not be composed')
      return { kind: 'deferred', code: 'compose' }
    }
  }

  async function setBack(mail: store.Claimed<AnyMail>, code: string, forGood: boolean): Promise<void> {
    const { id, kind, created_at } = mail
    const attempts = mail.attempts + 1
    if (forGood || created_at <= clock.in(-patience_s)) {
      await inTransaction(db, db => store.setBack(db, mail, { attempts, last_error: code, failed_at: clock.now() }))
      log.error({ mail_id: id, kind, attempts, code }, 'mail given up')
    } else {
      const next_attempt_at = clock.in(pauses_s[mail.attempts] ?? longestPause_s)
      await inTransaction(db, db => store.setBack(db, mail, { attempts, last_error: code, next_attempt_at }))
      log.warn({ mail_id: id, kind, attempts, code, next_attempt_at }, 'mail delayed')
    }
  }

  return {
    /** How many mails it has settled or delayed; none when the server is away, so that no further batch follows. */
    async sendDue(): Promise<number> {
      const queue = (await store.dueIds(db, clock.now(), batch)).values()
      let changed = 0
      let halted = false

      /** Takes mail after mail from the common queue, while it makes sense to go on. */
      async function work(most = batch): Promise<void> {
        for (let taken = 0; taken < most && !halted && !stopped; taken++) {
          const { value: id } = queue.next()
          if (id === undefined) return
          const outcome = await deliver(id).catch(error => {
            halted = true
            throw error
          })
          if (outcome === 'unreachable') halted = true
          else if (outcome) changed++
        }
      }

      await work(1) // one goes ahead, so that a server that is away sets back one mail and not one in each lane
      const works = await Promise.allSettled(Array.from({ length: lanes }, () => work()))
      for (const result of works) if (result.status === 'rejected') throw result.reason
      return halted ? 0 : changed
    },

    /** Begins no other mail. */
    stop: () => {
      stopped = true
    },
  }
}

const unneeded: Outcome = { kind: 'sent' }

/** Where it went wrong, without the message, which may quote the letter. */
function traceOf(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error ? error.code : undefined
  return { type: error.name, code, at: error.stack?.match(/^ +at .+$/gm) }
}
