import type { Meeting } from './schema.ts'

/** A type is a template: what a meeting of it has, unless its owner says otherwise. */
export const meetingTypes = {
  individual: { max_participants: 2, senders: 'all', screen_share: 'all', chat: 'all', recording: 'off', lobby: false },
  group: { max_participants: 25, senders: 'all', screen_share: 'all', chat: 'all', recording: 'manual', lobby: false },
  webinar: {
    max_participants: 100,
    senders: 'hosts',
    screen_share: 'hosts',
    chat: 'all',
    recording: 'auto',
    lobby: true,
  },
  broadcast: {
    max_participants: 1000,
    senders: 'hosts',
    screen_share: 'hosts',
    chat: 'hosts',
    recording: 'auto',
    lobby: false,
  },
} as const

/** Host is the owner, and in a quick room the first comer. */
export type Role = 'host' | 'co_host' | 'participant' | 'viewer'

export const hosts = (role: Role): boolean => role === 'host' || role === 'co_host'

/** What an invited person comes as, if nobody says: in a webinar, to watch. */
export const usualRole = ({ senders }: { senders: 'all' | 'hosts' }): 'participant' | 'viewer' =>
  senders === 'hosts' ? 'viewer' : 'participant'

/** What somebody may do in there. */
export const permissionsOf = (
  { senders, screen_share, chat, recording }: Pick<Meeting, 'senders' | 'screen_share' | 'chat' | 'recording'>,
  role: Role,
) => ({
  send: maySend(role, senders),
  screen_share: maySend(role, screen_share),
  chat: chat === 'all' || maySend(role, chat),
  record: hosts(role) && recording !== 'off',
})

/** A viewer never sends; the others as the meeting has it. */
export const maySend = (role: Role, allowed: 'all' | 'hosts' | 'off'): boolean =>
  hosts(role) ? allowed !== 'off' : role === 'participant' && allowed === 'all'
