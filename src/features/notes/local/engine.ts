import { type Draft, type Engine, type Material, type Utterance, utterancesOf } from '../engine.ts'
import type { KeyPoint } from '../schema.ts'
import { findActions } from './actions.ts'
import { createBreather } from './breather.ts'
import { rank } from './ranking.ts'
import { type Sentence, sentencesOf } from './sentences.ts'
import { sentimentOf } from './sentiment.ts'

/**
 * Writes notes without a model and without a network: the same words give the same notes. Whatever it quotes was said
 * so, and has its cue.
 */
export function createLocalEngine(): Engine {
  return {
    name: 'local',

    async write(material: Material, signal: AbortSignal): Promise<Draft> {
      const breathe = createBreather(signal)
      const utterances = utterancesOf(material)
      const sentences: Sentence[] = []
      let room = mostCharacters
      for (const utterance of utterances) {
        room -= utterance.text.length
        if (room < 0 || sentences.length > mostSentences) break
        sentences.push(...sentencesOf(utterance))
        await breathe()
      }
      const names = namesOf(material, utterances)

      const telling = await rank(sentences, breathe)
      return {
        summary: summarise(material, telling),
        key_points: telling.map(keyPointOf),
        action_items: await findActions(sentences, names, breathe),
        sentiment: await sentimentOf(sentences, breathe),
      }
    },
  }
}

/** A day of talking. Who fills a transcript beyond that, fills it with something else. */
const mostCharacters = 4_000_000

const mostSentences = 50_000

/** Each name is looked for in each sentence, and a captioner may make up as many as it likes. */
function namesOf({ people }: Material, utterances: Utterance[]): Set<string> {
  const spoken = new Map<string, number>()
  for (const { speaker } of utterances) spoken.set(speaker, (spoken.get(speaker) ?? 0) + 1)
  const busiest = [...spoken].sort(([, a], [, b]) => b - a).map(([speaker]) => speaker)
  const all = [...people.slice(0, mostPeople).map(({ display_name }) => display_name), ...busiest]
  return new Set([...new Set(all)].filter(name => name.length <= longestName).slice(0, mostNames))
}

const mostPeople = 60
const mostNames = 80
const longestName = 60

const keyPointOf = ({ text, utterance }: Sentence): KeyPoint => ({ text, cues: [cueOf(utterance)] })

const cueOf = ({ id, source, start_ms }: Utterance) => ({ id, source, start_ms })

/** Who was there, who spoke for how long, and what was said that tells most. */
function summarise({ title, people, segments, messages }: Material, telling: Sentence[]): string {
  const spoken = new Map<string, number>()
  for (const { speaker, start_ms, end_ms } of segments) {
    spoken.set(speaker, (spoken.get(speaker) ?? 0) + Math.max(0, end_ms - start_ms))
  }
  const speakers = [...spoken].sort(([, a], [, b]) => b - a)
  const listed = speakers.slice(0, 5).map(([name, ms]) => `${name} (${lengthOf(ms)})`)
  const others = speakers.length - listed.length
  const lines = [
    `${title}: ${count(people.length, 'person was', 'people were')} there.`,
    ...(listed.length > 0 ? [`Spoke: ${listed.join(', ')}${others > 0 ? ` and ${others} more` : ''}.`] : []),
    ...(messages.length > 0 ? [`${count(messages.length, 'message was', 'messages were')} written.`] : []),
  ]
  const quotes = telling.slice(0, 3).map(({ text, utterance }) => `${utterance.speaker}: “${text}”`)
  return [lines.join(' '), ...quotes].join('\n')
}

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`

function lengthOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
