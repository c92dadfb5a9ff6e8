import { z } from 'zod'
import { Email, Id, Instant, listOf, oneLine, Secret, TimeZone, Version } from '../../kernel/fields.ts'
import { problem } from '../../kernel/problem.ts'

const Password = z
  .string()
  .min(10)
  .max(128)
  .meta({ format: 'password', examples: ['correct horse battery'] })
/** What is typed at a login may be anything: whether it is long enough is nobody's business there. */
const TypedPassword = z
  .string()
  .min(1)
  .max(128)
  .meta({ format: 'password', examples: ['correct horse battery'] })
const RefreshToken = Secret.min(1).max(128).meta({ format: 'password' })

export const Register = z.strictObject({
  email: Email,
  name: oneLine(120).meta({ examples: ['Ada'] }),
  password: Password,
  time_zone: TimeZone.default('UTC'),
})
export type Register = z.infer<typeof Register>

export const LogIn = z.strictObject({ email: Email, password: TypedPassword })
export type LogIn = z.infer<typeof LogIn>

export const Refresh = z.strictObject({ refresh_token: RefreshToken })
export type Refresh = z.infer<typeof Refresh>

export const LogOut = z.strictObject({
  refresh_token: RefreshToken.optional().meta({ description: 'End the login of this token, too, if it is yours' }),
  all: z.boolean().default(false).meta({ description: 'End every login of yours, on every device' }),
})
export type LogOut = z.infer<typeof LogOut>

export const UpdateMe = z.strictObject({
  name: oneLine(120)
    .optional()
    .meta({ examples: ['Ada L.'] }),
  time_zone: TimeZone.optional(),
})
export type UpdateMe = z.infer<typeof UpdateMe>

export const ChangePassword = z.strictObject({ current_password: TypedPassword, new_password: Password })
export type ChangePassword = z.infer<typeof ChangePassword>

export const OfLogin = z.object({ login_id: Id })

export const User = z
  .object({
    id: Id,
    email: z.email(),
    name: z.string(),
    time_zone: z.string(),
    version: Version,
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

export const Tokens = z
  .object({
    user: User,
    access_token: Secret,
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds until the access token expires' }),
    refresh_token: Secret.meta({
      format: 'password',
      description: 'Good for one refresh, which answers with the next one',
    }),
  })
  .meta({ id: 'Tokens' })
export type Tokens = z.infer<typeof Tokens>

export const Login = z
  .object({
    id: Id,
    user_agent: z.string(),
    created_at: Instant,
    last_used_at: Instant,
    current: z.boolean().meta({ description: 'The login that this request was made with' }),
  })
  .meta({ id: 'Login' })
export type Login = z.infer<typeof Login>

export const Logins = listOf(Login)

export const EmailTaken = problem('conflict', 'email_taken', 'This e-mail address has an account already')
export const WrongCredentials = problem('unauthenticated', 'wrong_credentials', 'E-mail address or password is wrong')
export const WrongPassword = problem('forbidden', 'wrong_password', 'The current password is wrong')
export const RefreshRefused = problem(
  'unauthenticated',
  'refresh_token_refused',
  'This refresh token is unknown, expired or used; log in again',
)
