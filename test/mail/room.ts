import { inTransaction } from '../../src/db/transaction.ts'
import type { Letter, Posted } from '../../src/features/mail/letter.ts'
import { createMail } from '../../src/features/mail/service.ts'
import type { MailRow } from '../../src/features/mail/store.ts'
import { createTransport, type Transport } from '../../src/features/mail/transport.ts'
import { createLog } from '../../src/kernel/log.ts'
import { whenDone } from '../support/cleanup.ts'
import type { World } from '../support/world.ts'

/** The only kind of mail that these tests know. */
export interface Note {
  tenant_id: string
  kind: 'note'
  dedupe_key: string
  to_address: string
  facts: { words: string }
}

export const noteTo = (to_address: string, dedupe_key = to_address): Note => ({
  tenant_id: 'default',
  kind: 'note',
  dedupe_key,
  to_address,
  facts: { words: 'See you at nine' },
})

const asLetter = async ({ to_address, facts }: Posted<Note>): Promise<Letter> => ({
  to: { name: null, address: to_address },
  subject: 'A note',
  text: facts.words,
})

interface Options {
  smtp_url?: string
  compose?: (mail: Posted<Note>) => Promise<Letter | undefined>
  /** Stands around the true transport. */
  around?: (transport: Transport) => Transport
}

/** The mail room of one node. Another one on the same world shares its database and clock. */
export function openRoom({ db, clock, storage_dir }: World, { smtp_url, compose = asLetter, around }: Options) {
  const lines: string[] = []
  const log = createLog('debug', { write: line => lines.push(line) })
  const mail_from = { name: 'Parley', address: 'parley@example.com' }
  const transport = createTransport({ smtp_url, mail_from, storage_dir, log })
  const mail = createMail<Note>({ db, clock, log, compose, transport: around?.(transport) ?? transport })
  whenDone(mail.close)
  const [send, sweep] = mail.jobs
  if (!send || !sweep) throw new Error('There are two jobs')

  return {
    mail,
    lines,
    post: (...notes: Note[]) =>
      inTransaction(db, async db => {
        for (const note of notes) await mail.post(db, note)
      }),
    sendDue: send.run,
    sweep: sweep.run,
    rows: (): Promise<MailRow[]> => db<MailRow>('mails').orderBy(['created_at', 'id']),
    row: async (dedupe_key: string): Promise<MailRow> => {
      const row = await db<MailRow>('mails').where({ dedupe_key }).first()
      if (!row) throw new Error(`There is no mail ${dedupe_key}`)
      return row
    },
  }
}

/** So that no test finds the mails of the one before. */
export const emptyRoom = ({ db }: World) => inTransaction(db, db => db('mails').delete())
