import type { KeyObject } from 'node:crypto'
import type { Db } from '../../db/transaction.ts'
import type { Events } from '../../events/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Limiter } from '../../kernel/limiter.ts'
import type { Accounts } from '../accounts/service.ts'
import type { MailRoom } from '../mail/service.ts'
import type { Calendars } from '../meetings/calendars.ts'
import type { Meetings } from '../meetings/service.ts'
import type { InvitationMail } from './letters.ts'

/** What this room is given; each of its files takes what it needs of it. */
export interface Deps {
  db: Db
  clock: Clock
  events: Events
  accounts: Accounts
  meetings: Meetings
  calendars: Calendars
  mail: Pick<MailRoom<InvitationMail>, 'post'>
  limiter: Limiter
  /** The links of mails are made with it. */
  key: KeyObject
}
