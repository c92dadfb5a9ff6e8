import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import { hashSecret, newSecret } from '../../kernel/ids.ts'
import { NotFound, Unauthenticated } from '../../kernel/problem.ts'
import { guestFamily } from '../../kernel/token.ts'
import type { Accounts } from '../accounts/service.ts'
import type { MediaProvider } from '../media/provider.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Meetings } from '../meetings/service.ts'
import { permissionsOf } from '../meetings/types.ts'
import { hasToken } from './connections.ts'
import { seenBy } from './roster.ts'
import { ConnectionClosed } from './schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  accounts: Accounts
  meetings: Meetings
  media: MediaProvider
}

/** Going on with a connection: after a lost network, or with the tokens of another login. */
export function createResume({ db, accounts, meetings, media }: Deps) {
  return {
    /** The token is good once; the one before stays good until its successor is used, since an answer may be lost. */
    async resume(caller: Caller, id: string, resume_token: string) {
      return inTransaction(db, async db => {
        const { connection, family } = await takeOver(db, caller, id)
        if (!hasToken(connection, resume_token)) throw NotFound()
        const renewed = newSecret()
        await store.changeTokens(db, id, {
          token_family: family,
          resume_token_hash: hashSecret(renewed),
          previous_token_hash: hashSecret(resume_token),
        })
        const { tenant_id, meeting_id, role } = connection
        const session = await store.findLive(db, meeting_id)
        const meeting = await meetings.findFor(db, tenant_id, meeting_id)
        if (!meeting) throw NotFound()
        return {
          connection: { id, resume_token: renewed },
          role,
          permissions: permissionsOf(meeting, role),
          roster: seenBy(connection, await store.roster(db, connection.session_id)),
          roster_version: session?.roster_version ?? 0,
          ice_servers: media.admit({ participant_id: connection.participant_id }).ice_servers,
        }
      })
    },

    /** The same person uses it with another login: from now on it lives and dies with that one. */
    async adopt(caller: Caller, id: string): Promise<void> {
      await inTransaction(db, async db => {
        const { family } = await takeOver(db, caller, id)
        await store.changeTokens(db, id, { token_family: family })
      })
    },

    iceServersFor: (participant_id: string) => media.admit({ participant_id }).ice_servers,
  }

  /** The caller's token stands, and goes on standing until this is committed. */
  async function takeOver(db: Db, caller: Caller, id: string) {
    const family = await familyOf(db, caller)
    const connection = await store.lockOwn(db, caller, id)
    if (!connection) throw NotFound()
    if (connection.close_reason !== null) throw ConnectionClosed({ reason: connection.close_reason })
    return { connection, family }
  }

  async function familyOf(db: Db, caller: Caller): Promise<string> {
    if (caller.kind === 'user') {
      if (!(await accounts.lockLogin(db, caller))) throw Unauthenticated()
      return caller.login_id
    }
    const me = await participants.findCaller(db, caller.meeting_id, caller)
    if (!me) throw Unauthenticated()
    return guestFamily(me)
  }
}
