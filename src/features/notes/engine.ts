import type { ActionItem, KeyPoint, Sentiment } from './schema.ts'

/**
 * The port to whoever writes notes. An engine is given what was said and written in one session, and knows nothing of
 * meetings, tables or callers.
 */
export interface Engine {
  name: string
  /** Gives up when the signal is raised. What goes wrong is an `EngineFailure`; anything else is a bug. */
  write(material: Material, signal: AbortSignal): Promise<Draft>
}

export interface Segment {
  id: string
  participant_id: string | null
  speaker: string
  start_ms: number
  end_ms: number
  text: string
}

export interface Message {
  id: string
  participant_id: string
  display_name: string
  text: string
  sent_at: string
}

export interface Material {
  title: string
  session: { id: string; started_at: string; ended_at: string | null }
  /** Who was there, each once. */
  people: { participant_id: string; display_name: string }[]
  segments: Segment[]
  messages: Message[]
}

export interface Draft {
  summary: string
  key_points: KeyPoint[]
  action_items: ActionItem[]
  sentiment: Sentiment
}

export type FailureReason =
  | 'engine_unreachable'
  | 'engine_refused'
  | 'engine_timeout'
  | 'bad_answer'
  | 'answer_too_large'

/** Why there are no notes, in a word that clients may see. What was said upstream is for the log alone. */
export class EngineFailure extends Error {
  readonly reason: FailureReason
  /** Whether it would be the same another time. */
  readonly for_good: boolean

  constructor(reason: FailureReason, message: string, for_good: boolean) {
    super(message)
    this.name = 'EngineFailure'
    this.reason = reason
    this.for_good = for_good
  }
}

/** One thing that somebody said or wrote, wherever that was. */
export interface Utterance {
  id: string
  source: 'transcript' | 'chat'
  start_ms: number | null
  participant_id: string | null
  speaker: string
  text: string
}

/** In the order in which it was said; what was written has its place by the clock. */
export function utterancesOf({ session, segments, messages }: Material): Utterance[] {
  const began = Date.parse(session.started_at)
  const said = segments.map(({ id, participant_id, speaker, start_ms, text }) => ({
    at: start_ms,
    utterance: { id, source: 'transcript' as const, start_ms, participant_id, speaker, text },
  }))
  const written = messages.map(({ id, participant_id, display_name, text, sent_at }) => ({
    at: Date.parse(sent_at) - began,
    utterance: { id, source: 'chat' as const, start_ms: null, participant_id, speaker: display_name, text },
  }))
  return [...said, ...written].sort((a, b) => a.at - b.at).map(({ utterance }) => utterance)
}

/** The transcript as a person reads it. It ends early, and says so, before it is more than a row can hold. */
export function transcriptText(material: Material): string {
  const lines: string[] = []
  let length = 0
  for (const { speaker, source, text } of utterancesOf(material)) {
    const line = `${speaker}${source === 'chat' ? ' (chat)' : ''}: ${text.replace(/\s+/g, ' ')}`
    length += line.length + 1
    if (length > longestTranscript) return [...lines, '[The transcript goes on.]'].join('\n')
    lines.push(line)
  }
  return lines.join('\n')
}

const longestTranscript = 2_000_000
