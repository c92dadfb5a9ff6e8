import type { Chapter, Texts } from './step.ts'
import { accounts } from './story/accounts.ts'
import { afterwards } from './story/afterwards.ts'
import { door } from './story/door.ts'
import { planning } from './story/planning.ts'
import { recordings } from './story/recordings.ts'
import { signals } from './story/signals.ts'
import { talk } from './story/talk.ts'

/** A meeting, from the first account to the last note, as it looks to a program that uses the API. */
export const story: Chapter[] = [accounts, planning, door, signals, talk, recordings, afterwards]

/** What whoever runs it may want otherwise. */
export const environment: Texts = {
  base_url: 'http://127.0.0.1:3000',
  mail_domain: 'example.com',
  password: 'correct horse battery',
  owner_name: 'Ada',
  invitee_name: 'Ben',
  guest_name: 'Grace',
}
