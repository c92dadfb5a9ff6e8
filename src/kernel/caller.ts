/** A plain installation has one tenant. Nothing crosses from one tenant into another. */
export const DEFAULT_TENANT = 'default'

/** A person with an account, calling with the access token of one of their logins. */
export interface UserCaller {
  kind: 'user'
  tenant_id: string
  user_id: string
  login_id: string
}

/** Somebody without an account, calling with the token of the one meeting that they are a guest of. */
export interface GuestCaller {
  kind: 'guest'
  tenant_id: string
  meeting_id: string
  participant_id: string
}

export type Caller = UserCaller | GuestCaller

/**
 * Whoever shows a token that is signed and has not run out. Whether it still stands has not been asked: that is for
 * whoever can answer it without asking, and for `stand` otherwise.
 */
export interface Bearer {
  kind: 'user' | 'guest'
  /** The user, or the participant that a guest is. */
  id: string
  /** What the token lives and dies with: its login, or the generation of a guest's tokens. */
  family: string
  /** Fails when it does not stand any more. */
  stand(): Promise<Caller>
}

/** What tells one caller from every other: limits and idempotency keys are counted by it. */
export const callerId = (caller: Caller): string => (caller.kind === 'user' ? caller.user_id : caller.participant_id)
