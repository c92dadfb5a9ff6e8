import { createHash, randomBytes } from 'node:crypto'
import { v7 } from 'uuid'

/** A prefix says what an id names, at a glance in a log: `usr_019a…`. The rest sorts by creation time. */
export type IdPrefix =
  | 'att' // attendance
  | 'con' // connection
  | 'evt'
  | 'idk' // idempotency key
  | 'inv' // invitation
  | 'lgn' // login
  | 'mai' // mail
  | 'msg' // message of a chat
  | 'mtg' // meeting
  | 'par' // participant
  | 'prp' // proposal
  | 'rec' // recording
  | 'seg' // segment of a transcript
  | 'ses' // session of a meeting
  | 'usr'

export const newId = (prefix: IdPrefix): string => `${prefix}_${v7().replaceAll('-', '')}`

/** A bearer secret of 256 random bits. Only its hash is stored. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** Secrets are random, so one round of SHA-256 keeps them; passwords need argon2 (features/accounts/passwords). */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
