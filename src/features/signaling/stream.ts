import { Problem } from '../../kernel/problem.ts'
import type { Seat } from './reader.ts'
import { textOfSignal } from './render.ts'

/** The same inbox as Server-Sent Events: an event for each signal, whose id is its seq. */

/** So often is something said, so that nobody on the way takes the connection for dead. */
const silence_ms = 15_000

export async function* streamOf(seat: Seat, after: number): AsyncGenerator<string> {
  yield ': open\n\n'
  try {
    for (let cursor = after; ; ) {
      const { page, over } = await seat.next({ after: cursor, limit: 50, wait_ms: silence_ms })
      if (over === 'stopping') yield 'retry: 1000\n\n'
      const events = page.signals.map(signal => ({
        seq: signal.seq,
        text: `id: ${signal.seq}\nevent: signal\ndata: ${textOfSignal(signal)}\n\n`,
      }))
      const { gap } = page
      if (gap) events.push({ seq: gap.to_seq, text: `id: ${gap.to_seq}\nevent: gap\ndata: ${JSON.stringify(gap)}\n\n` })
      events.sort((a, b) => a.seq - b.seq)
      yield events.length > 0 ? events.map(({ text }) => text).join('') : ': still here\n\n'
      cursor = page.cursor
      if (over) return
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { reason } = error.extra
    yield `event: end\ndata: ${JSON.stringify({ code: error.code, title: error.message, reason })}\n\n`
  } finally {
    seat.leave()
  }
}
