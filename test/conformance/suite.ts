import { acknowledging } from './promises/acknowledging.ts'
import { channels } from './promises/channels.ts'
import { expiry } from './promises/expiry.ts'
import { fairness } from './promises/fairness.ts'
import { holding } from './promises/holding.ts'
import { negotiation } from './promises/negotiation.ts'
import { nodes } from './promises/nodes.ts'
import { order } from './promises/order.ts'
import { reading } from './promises/reading.ts'
import { resuming } from './promises/resuming.ts'
import { roster } from './promises/roster.ts'
import { sending } from './promises/sending.ts'
import { walls } from './promises/walls.ts'
import { type Server, type Stage, setStage } from './stage.ts'
import { within } from './time.ts'
import { Broken, NotRun } from './verdict.ts'

/**
 * What the inbox promises to whoever calls it, as sentences that can be tried. Each file in promises/ is one chapter;
 * each promise in it is a name and a function that keeps quiet if the promise is kept. Nothing here knows the server but
 * by its address: all goes over HTTP, as an integrator's own client would.
 */
export interface Promises {
  [sentence: string]: (stage: Stage) => Promise<void>
}

const chapters: { [title: string]: Promises } = {
  Reading: reading,
  'Held polls': holding,
  Acknowledging: acknowledging,
  Sending: sending,
  Order: order,
  Fairness: fairness,
  Expiry: expiry,
  'Who is here': roster,
  Negotiation: negotiation,
  Walls: walls,
  Resuming: resuming,
  Channels: channels,
  'Several nodes': nodes,
}

export interface Verdict {
  chapter: string
  sentence: string
  outcome: 'pass' | 'FAIL' | 'not run'
  why?: string
}

const mostForOne_ms = 25_000

export interface Options extends Server {
  /** Only promises whose sentence or chapter has this in it. */
  only?: string
}

/** Tries one promise after the other, so that a verdict is about that promise and not about the load of others. */
export async function* judge({ only = '', ...server }: Options): AsyncGenerator<Verdict> {
  const chosen = promises.filter(({ chapter, sentence }) => includes(chapter, only) || includes(sentence, only))
  if (chosen.length === 0) throw new Error(`No promise is called ${only}`)
  const stage = await setStage(server)
  for (const { keep, ...promise } of chosen) {
    try {
      await within(mostForOne_ms, stage.lend(keep))
      yield { ...promise, outcome: 'pass' }
    } catch (error) {
      yield { ...promise, outcome: error instanceof NotRun ? 'not run' : 'FAIL', why: reasonOf(error) }
    }
  }
}

const promises = Object.entries(chapters).flatMap(([chapter, promises]) =>
  Object.entries(promises).map(([sentence, keep]) => ({ chapter, sentence, keep })),
)

const includes = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase())

/** In one line. What is neither kept nor broken, such as a server that is gone, comes with its cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof Broken || error instanceof NotRun) return error.message
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error}${cause}`.replaceAll('\n', ' ')
}
