/** What crosses the wire, as far as the promises speak of it. */

/** Whose signal it is; the server stamps it. */
export interface Origin {
  connection: string
  participant: string
  user: string | null
}

/** A signal as it is read. */
export interface Signal {
  seq: number
  type: string
  from: Origin | null
  payload: unknown
  negotiation_id: string | null
  ice_session: string | null
  glare: boolean
  sent_at: string
  expires_at: string | null
  deliveries: number
}

/** In place of signals that were taken back before they were acknowledged. */
export interface Gap {
  from_seq: number
  to_seq: number
  reason: string
}

/** The answer of an inbox. */
export interface Page {
  signals: Signal[]
  cursor: number
  acked_through: number
  pending: number
  has_more: boolean
  gap: Gap | null
}

/** A signal as it is sent. */
export interface Outgoing {
  to: { connection: string } | { participant: string } | { user: string }
  type: string
  payload: unknown
  negotiation_id?: string
  ice_session?: string
  ttl_ms?: number
}

/** What became of one signal that was sent. */
export interface Outcome {
  status: string
  first_status?: string
  deliveries: { connection: string; seq: number }[]
}

export interface Acked {
  acknowledged: number
  acked_through: number
}

export interface RosterEntry {
  connection: string
  participant: string
  polite: boolean
}

export interface Joined {
  participant: { id: string }
  connection: { id: string; resume_token: string }
  roster: RosterEntry[]
  roster_version: number
  inbox: { cursor: number }
}

export interface Resumed {
  connection: { id: string; resume_token: string }
  roster: RosterEntry[]
  inbox: { cursor: number }
  gaps: Gap[]
}

/** Whatever is not a 2xx. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  request_id: string
  reason?: string
  expected?: number
}
