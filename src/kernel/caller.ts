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

/** What tells one caller from every other: limits and idempotency keys are counted by it. */
export const callerId = (caller: Caller): string => (caller.kind === 'user' ? caller.user_id : caller.participant_id)
