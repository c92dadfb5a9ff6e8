/** The part of media-captions that the tests use; its own types cannot be resolved from an ES module. */
interface Read {
  startTime: number
  endTime: number
  text: string
}

interface Token {
  type: string
  data?: string
  voice?: string
  children?: Token[]
}

interface Captions {
  parseText(text: string, options: { type: 'vtt' | 'srt' }): Promise<{ cues: Read[]; errors: unknown[] }>
  tokenizeVTTCue(cue: object): Token[]
}

const captions: Captions = await import('media-captions' as string)

export const { parseText } = captions

const textOf = (tokens: Token[]): string => tokens.map(({ data, children = [] }) => data ?? textOf(children)).join('')

/** Who speaks, and what is read. */
export function asRead(cue: Read) {
  const tokens = captions.tokenizeVTTCue(cue)
  return {
    start_ms: Math.round(cue.startTime * 1000),
    end_ms: Math.round(cue.endTime * 1000),
    speaker: tokens.find(({ type }) => type === 'v')?.voice,
    text: textOf(tokens),
  }
}
