/** What a call is refused with: the statuses and codes of the protocol. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly extra: { reason?: string; expected?: number }

  constructor(status: number, code: string, extra: Refusal['extra'] = {}) {
    super(code)
    this.status = status
    this.code = code
    this.extra = extra
  }
}

export const invalid = () => new Refusal(422, 'invalid')
export const unauthenticated = () => new Refusal(401, 'unauthenticated')
export const notFound = () => new Refusal(404, 'not_found')
export const notJoined = () => new Refusal(409, 'not_joined')
export const connectionRequired = () => new Refusal(409, 'connection_required')
export const connectionClosed = (reason: string) => new Refusal(410, 'connection_closed', { reason })
export const ackAhead = () => new Refusal(409, 'ack_ahead')
export const pollSuperseded = () => new Refusal(409, 'poll_superseded')
export const sendGap = (expected: number) => new Refusal(409, 'send_gap', { expected })
export const sendMismatch = () => new Refusal(422, 'idempotency_mismatch')
export const backlogged = () => new Refusal(429, 'backlogged')
