import { randomUUID } from 'node:crypto'
import type { Fault } from './inbox.ts'
import { type Connection, createMeeting, join, leave, type Meeting, openIn, rosterOf } from './meeting.ts'
import { connectionClosed, connectionRequired, notFound, notJoined } from './refusal.ts'
import { send } from './send.ts'

/** The calls that the small relay knows: those that the suite makes. */

export interface Call {
  user: string
  /** What stands for `:id` in the path, in order. */
  params: string[]
  query: URLSearchParams
  // biome-ignore lint/suspicious/noExplicitAny: whatever was sent, and a relay for tests believes it
  body: any
}
type Handler = (call: Call) => unknown

export function createRoutes(fault: Fault) {
  const meetings = new Map<string, Meeting>()
  const invitations = new Map<string, { meeting: Meeting; user: string }>()

  function meetingOf({ user, params: [id = ''] }: Call): Meeting {
    const meeting = meetings.get(id)
    if (!meeting?.people.has(user)) throw notFound()
    return meeting
  }

  function* connectionsOf(user: string) {
    for (const meeting of meetings.values()) {
      for (const connection of meeting.connections.values()) {
        if (connection.inbox.owner.user === user) yield { meeting, connection }
      }
    }
  }

  /** The caller's own, and open: the one that is named, or the only one there is. */
  function ownOf({ user }: Call, id: string | undefined | null): { meeting: Meeting; connection: Connection } {
    const theirs = [...connectionsOf(user)]
    const open = theirs.filter(({ connection }) => !connection.inbox.closed)
    if (!id && open.length > 1) throw connectionRequired()
    const found = id ? theirs.find(({ connection }) => connection.id === id) : open[0]
    if (!found) throw id ? notFound() : notJoined()
    if (found.connection.inbox.closed) throw connectionClosed(found.connection.inbox.closed)
    return found
  }

  const routes: { [operation: string]: Handler } = {
    'POST /api/meetings'({ user }) {
      const meeting = createMeeting(user)
      meetings.set(meeting.id, meeting)
      return { id: meeting.id }
    },

    'POST /api/meetings/:id/invitations'(call) {
      const meeting = meetingOf(call)
      const invitees: { user_id: string }[] = call.body.invitees
      const data = invitees.map(({ user_id }) => {
        const id = `inv_${randomUUID()}`
        invitations.set(id, { meeting, user: user_id })
        return { id, user_id }
      })
      return { data }
    },

    'POST /api/invitations/:id/accept'({ user, params: [id = ''] }) {
      const invitation = invitations.get(id)
      if (invitation?.user !== user) throw notFound()
      invitation.meeting.people.set(user, `par_${randomUUID()}`)
      return { id }
    },

    'POST /api/meetings/:id/join'(call) {
      const meeting = meetingOf(call)
      const { replaces } = call.body
      const replaced = replaces && ownOf(call, replaces.connection).connection
      const connection = join(meeting, call.user, fault)
      if (replaced) leave(meeting, replaced, 'replaced', connection.id)
      return {
        participant: { id: connection.inbox.owner.participant },
        connection: { id: connection.id, resume_token: connection.resume_tokens[0] },
        roster: rosterOf(meeting, connection),
        roster_version: meeting.version,
        inbox: { cursor: 0 },
      }
    },

    'POST /api/meetings/:id/leave'({ user, body }) {
      const found = [...connectionsOf(user)].find(({ connection }) => connection.id === body.connection)
      if (!found) throw notFound()
      leave(found.meeting, found.connection, 'left')
      return {}
    },

    'POST /api/meetings/:id/participants/:id/remove'(call) {
      const meeting = meetingOf(call)
      for (const connection of openIn(meeting)) {
        if (connection.inbox.owner.participant === call.params[1]) leave(meeting, connection, 'removed')
      }
      return {}
    },

    'POST /api/meetings/:id/end'(call) {
      for (const { inbox } of openIn(meetingOf(call))) inbox.close('meeting_ended')
      return {}
    },

    'POST /api/rtc/signals'(call) {
      const { connection, first_seq, signals, ...bare } = call.body
      const own = ownOf(call, connection)
      return { results: send(own.meeting, own.connection, { first_seq, signals: signals ?? [bare] }, fault) }
    },

    'GET /api/rtc/inbox'(call) {
      const { inbox } = ownOf(call, call.query.get('connection')).connection
      const number = (name: string) => Number(call.query.get(name))
      inbox.ackThrough(number('ack'))
      return inbox.poll(number('after'), number('limit') || 50, Math.min(number('wait'), 25) * 1000)
    },

    'POST /api/rtc/ack'(call) {
      const { connection, up_to, seqs } = call.body
      const { inbox } = ownOf(call, connection).connection
      return seqs ? inbox.ackEach(seqs) : inbox.ackThrough(up_to)
    },

    'POST /api/rtc/resume'(call) {
      const { meeting, connection } = ownOf(call, call.body.connection)
      return resume(meeting, connection, call.body)
    },

    'GET /api/rtc/ice-servers'(call) {
      ownOf(call, call.query.get('connection'))
      return { ice_servers: [] }
    },
  }

  return {
    routes,

    /** Tells the senders of what nobody fetched in time. */
    sweep(): void {
      for (const { connections } of meetings.values()) {
        for (const { id, inbox } of connections.values()) {
          for (const [sender, seqs] of inbox.expire()) {
            connections.get(sender)?.tell('undelivered', { connection: id, reason: 'expired', seqs })
          }
        }
      }
    },
  }
}

/** The token that was used stays good until its successor is, for the answer may be lost. */
function resume(meeting: Meeting, me: Connection, { resume_token, cursor }: { resume_token: string; cursor: number }) {
  if (!me.resume_tokens.includes(resume_token)) throw notFound()
  const renewed = randomUUID()
  me.resume_tokens = [renewed, resume_token]
  const { last, ...state } = me.inbox.state
  return {
    connection: { id: me.id, resume_token: renewed },
    roster: rosterOf(meeting, me),
    roster_version: meeting.version,
    inbox: { cursor: Math.min(cursor, last), ...state },
    gaps: me.inbox.gapsAfter(cursor),
    ice_servers: [],
  }
}
