/** A plain installation has one tenant. Nothing crosses from one tenant into another. */
export const DEFAULT_TENANT = 'default'

/** A person with an account, calling with the access token of one of their logins. */
export interface UserCaller {
  kind: 'user'
  tenant_id: string
  user_id: string
  login_id: string
}

export type Caller = UserCaller
