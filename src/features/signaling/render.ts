import { pendingAfter, type Stored } from './inbox.ts'
import type { Read } from './reader.ts'

/** An answer is put together of texts that were written when the signals were stored: nothing is serialised again. */

export const textOfSignal = ({ seq, body, deliveries }: Stored): string =>
  `{"seq":${seq},${body},"deliveries":${deliveries}}`

/** When the node stops, those who waited come back one after the other, and not all at once. */
const spread_ms = 2_000

export function textOfRead({ inbox, page, over }: Read, waited_ms: number): string {
  const { signals, cursor, has_more, gap } = page
  const retry = over === 'stopping' ? `,"retry_after_ms":${100 + Math.floor(Math.random() * spread_ms)}` : ''
  return (
    `{"signals":[${signals.map(textOfSignal).join(',')}],"cursor":${cursor},"acked_through":${inbox.acked_through},` +
    `"pending":${pendingAfter(inbox, inbox.acked_through)},"has_more":${has_more},` +
    `"gap":${gap === null ? 'null' : JSON.stringify(gap)},"waited_ms":${waited_ms}${retry}}`
  )
}
