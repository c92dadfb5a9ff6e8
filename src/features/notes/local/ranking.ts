import { type Sentence, wordsOf } from './sentences.ts'
import { stopWords } from './stop-words.ts'

/**
 * Which sentences tell most of a conversation. A word counts by how many sentences have it, and less if nearly all of
 * them do; a sentence by its words, by what it announces, and by its length. Of two that say the same, one is taken.
 */
export async function rank(sentences: Sentence[], breathe: () => Promise<void>): Promise<Sentence[]> {
  const topics: Set<string>[] = []
  const spread = new Map<string, number>()
  for (const { text } of sentences) {
    const words = new Set(
      wordsOf(text)
        .filter(word => word.length > 2 && !stopWords.has(word))
        .map(stem),
    )
    topics.push(words)
    for (const word of words) spread.set(word, (spread.get(word) ?? 0) + 1)
    await breathe()
  }

  const weightOf = (word: string): number => {
    const count = spread.get(word) ?? 0
    return Math.sqrt(count) * Math.log(1 + sentences.length / count)
  }
  const scored: Scored[] = []
  for (const [i, sentence] of sentences.entries()) {
    const words = topics[i] ?? new Set()
    let sum = 0
    for (const word of words) sum += weightOf(word)
    const score = (sum / Math.sqrt(words.size + 3)) * weightOfForm(sentence.text) * weightOfPlace(i, sentences.length)
    scored.push({ sentence, words, score, place: i })
    await breathe()
  }
  scored.sort((a, b) => b.score - a.score || a.place - b.place)
  return pick(scored, mostOf(sentences.length))
    .sort((a, b) => a.place - b.place)
    .map(({ sentence }) => sentence)
}

interface Scored {
  sentence: Sentence
  words: Set<string>
  score: number
  place: number
}

const mostOf = (count: number): number => Math.min(10, Math.max(3, Math.ceil(Math.sqrt(count))))

function pick(scored: Scored[], most: number): Scored[] {
  const picked: Scored[] = []
  for (const candidate of scored.slice(0, 200)) {
    if (picked.length === most) break
    if (candidate.score === 0 && picked.length > 0) break
    if (picked.every(other => likeness(candidate.words, other.words) < 0.5)) picked.push(candidate)
  }
  return picked
}

function likeness(a: Set<string>, b: Set<string>): number {
  let common = 0
  for (const word of a) if (b.has(word)) common++
  return common / (a.size + b.size - common || 1)
}

/** "decides", "decided" and "deciding" are about one thing. */
const stem = (word: string): string => word.replace(/('s|'|ings?|edly|ed|es|s|ly)$/, '') || word

function weightOfForm(text: string): number {
  const length = wordsOf(text).length
  const size = length < 5 ? 0.4 : length > 45 ? 0.7 : 1
  const asks = text.endsWith('?') ? 0.5 : 1
  const announces = announcement.test(text) ? 1.4 : 1
  const counts = /\p{N}/u.test(text) ? 1.1 : 1
  return size * asks * announces * counts
}

const announcement =
  /\b(decid|agree[ds]?\b|decision|conclusion|problem|because|important|deadline|result|budget|cost|risk|plan|goal|release|blocked|fail)/i

/** What opens a conversation says what it is about. */
const weightOfPlace = (place: number, count: number): number => (place < count * 0.1 ? 1.1 : 1)
