import { createHmac, type KeyObject } from 'node:crypto'
import { DateTime } from 'luxon'
import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import { hashSecret } from '../../kernel/ids.ts'
import type { Letter, Posted } from '../mail/letter.ts'
import { type CalendarEvent, toICalendar } from '../meetings/calendar.ts'
import * as store from './store.ts'

/** What a letter tells of, as it was when it was written: the meeting may be gone by the time that it is sent. */
export interface InvitationMail {
  tenant_id: string
  kind: 'invitation.request' | 'invitation.cancel'
  dedupe_key: string
  to_address: string
  facts: {
    invitation_id: string
    times_sent: number
    event: Omit<CalendarEvent, 'attendees'>
    name: string | null
    role: CalendarEvent['attendees'][number]['role']
    message: string | null
    /** Why it is sent: the first time, at another time, or no longer. */
    occasion: 'invited' | 'moved' | 'cancelled' | 'withdrawn'
  }
}

interface Deps {
  db: Db
  clock: Clock
  key: KeyObject
  origin: string
}

/** 128 bits, which fit into one line of a mail. Made of what we know, so that it need not be kept: a mail that waits to be sent holds no secret. */
export const linkToken = (key: KeyObject, { id, times_sent }: Pick<store.InvitationRow, 'id' | 'times_sent'>): string =>
  createHmac('sha256', key).update(`invitation link ${id} ${times_sent}`).digest().subarray(0, 16).toString('base64url')

export function createLetters({ db, clock, key, origin }: Deps) {
  /** With another key than when they were invited, the link is another one, and its hash with it. */
  async function linkOf({ id, times_sent, link_hash }: store.InvitationRow): Promise<string> {
    const token = linkToken(key, { id, times_sent })
    const hash = hashSecret(token)
    if (hash !== link_hash) await inTransaction(db, db => store.update(db, id, { link_hash: hash }))
    return token
  }

  /** Undefined when it need not be sent any more: who is not invited now is not asked. */
  return async function compose({
    tenant_id,
    kind,
    to_address,
    facts,
  }: Posted<InvitationMail>): Promise<Letter | undefined> {
    const { event, name, role, occasion } = facts
    const invitation = await store.find(db, tenant_id, facts.invitation_id)
    const stands = invitation?.times_sent === facts.times_sent && invitation.status !== 'withdrawn'
    if (kind === 'invitation.request' && !stands) return undefined
    if (occasion === 'withdrawn' && invitation && invitation.times_sent > facts.times_sent) return undefined

    const method = kind === 'invitation.request' ? 'REQUEST' : 'CANCEL'
    const status = invitation === undefined || invitation.status === 'withdrawn' ? 'pending' : invitation.status
    const attendees = [{ name, email: to_address, role, status }]
    // As a fragment, which browsers keep to themselves: no log on the way has it.
    const link = stands ? `${origin}/invitation#${await linkOf(invitation)}` : null
    return {
      to: { name, address: to_address },
      subject: `${headings[occasion]}: ${event.title}`,
      text: [...paragraphsOf(facts, status), ...(link && method === 'REQUEST' ? [`Answer here:\n${link}`] : [])].join(
        '\n\n',
      ),
      calendar: { method, content: toICalendar({ ...event, attendees }, method, clock.now()) },
    }
  }
}

type Status = CalendarEvent['attendees'][number]['status']

const headings = {
  invited: 'Invitation',
  moved: 'New time',
  cancelled: 'Cancelled',
  withdrawn: 'Invitation withdrawn',
}

function paragraphsOf({ event, message, occasion }: InvitationMail['facts'], status: Status): string[] {
  const title = `"${event.title}"` // plain quotes: a letter in ASCII is sent as it is, and its link stays whole
  const said = {
    invited: `${event.organizer.name} invites you to ${title}.`,
    moved: `${title} has a new time.${status === 'accepted' ? '' : ' Please say again whether you come.'}`,
    cancelled: `${title} will not take place.`,
    withdrawn: `You are no longer invited to ${title}.`,
  }
  const when = `When: ${span(event)}${event.recurrence ? `\nRepeats: ${event.recurrence}` : ''}`
  return [said[occasion], when, ...(message ? [message] : []), ...(event.description ? [event.description] : [])]
}

function span({ starts_at, duration_minutes, time_zone }: InvitationMail['facts']['event']): string {
  const start = DateTime.fromISO(starts_at, { zone: time_zone, locale: 'en' })
  const end = start.plus({ minutes: duration_minutes })
  return `${start.toFormat('cccc, d LLLL yyyy, HH:mm')} to ${end.toFormat(end.hasSame(start, 'day') ? 'HH:mm' : 'd LLLL, HH:mm')} (${time_zone})`
}
