import type { SendMailOptions } from 'nodemailer'

export interface Mailbox {
  name: string | null
  address: string
}

/** What is to be told, by ids and words and without a secret: the letter is composed of it when it is sent. */
export interface Mail {
  tenant_id: string
  kind: string
  /** The same mail posted again, under this key, is one mail. */
  dedupe_key: string
  to_address: string
  facts: object
}

/** What of a mail is the same at each attempt to send it. */
export interface Postmark {
  id: string
  created_at: string
}

export type Posted<AnyMail extends Mail> = AnyMail & Postmark

/** What somebody finds in their mailbox. */
export interface Letter {
  to: Mailbox
  subject: string
  text: string
  html?: string
  /** An invitation or its withdrawal (iTIP): mail clients offer to answer it, and move it in the calendar. */
  calendar?: { method: 'REQUEST' | 'CANCEL'; content: string }
}

/**
 * The letter in the words of nodemailer. The calendar goes in twice: as a part that mail clients act upon, and as a file
 * for those that show none. The Message-ID is made of the mail's id, so that a letter that was sent again because a
 * process died before it could say so is known to be the same one.
 */
export function messageOf(from: Mailbox, { id, created_at }: Postmark, letter: Letter): SendMailOptions {
  return {
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    date: new Date(created_at),
    from: inHeader(from),
    to: inHeader(letter.to),
    subject: oneLine(letter.subject),
    text: letter.text,
    html: letter.html,
    icalEvent: letter.calendar,
    headers: { 'Auto-Submitted': 'auto-generated' }, // keeps holiday notices from answering
  }
}

/** Nodemailer would make something of a list, or of two lines; what is not one plain address gets no letter at all. */
export const isOneAddress = (text: string): boolean =>
  /^[^\s\p{Cc}<>()[\],;:"\\@]+@[^\s\p{Cc}<>()[\],;:"\\@]+$/u.test(text)

const inHeader = ({ name, address }: Mailbox) => ({ name: oneLine(name ?? ''), address })

/** A line break in a header would begin the next one. Nodemailer encodes it, and a careless reader would decode it. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ')
