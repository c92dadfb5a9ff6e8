import type { Entry } from './draft.ts'
import { type ownerOf, stampOf } from './inbox.ts'

/**
 * How a signal is written, once: the members of its JSON text, but for `seq` and `deliveries`. It is put together of
 * three pieces, of which the first is the sender's, the second the signal's, and the third that of the moment.
 */

export const whoOf = (type: string, stamp: string): string => `"type":"${type}","from":${stamp},`

/** `payload` is JSON already. */
export const whatOf = (payload: string, negotiation_id?: string, ice_session?: string): string =>
  `"payload":${payload},"negotiation_id":${textOf(negotiation_id)},"ice_session":${textOf(ice_session)},`

export const whenOf = (glare: boolean, sent_at: string, expires_at: string | null): string =>
  `"glare":${glare},"sent_at":"${sent_at}","expires_at":${expires_at === null ? 'null' : `"${expires_at}"`}`

const textOf = (text: string | undefined): string => (text === undefined ? 'null' : JSON.stringify(text))

/** What the server itself tells. It does not expire, counts for nobody, and is never refused. */
export function tell(
  { now }: { now: string },
  type: string,
  payload: object,
  from: ReturnType<typeof ownerOf> | null = null,
  negotiation_id?: string,
): Entry {
  const what = whatOf(JSON.stringify(payload), negotiation_id)
  const body = whoOf(type, stampOf(from)) + what + whenOf(false, now, null)
  return { sender: null, type, ice_session: null, expires_at: null, body }
}
