import type { Utterance } from '../engine.ts'

/** A span of what somebody said, in their very words. */
export interface Sentence {
  text: string
  utterance: Utterance
}

const longest = 400

/**
 * What ends a sentence is a mark followed by a space, unless it belongs to a short form, and any full-width mark. A
 * caption without marks is cut between words where it gets too long to be quoted.
 */
export function sentencesOf(utterance: Utterance): Sentence[] {
  const sentences: Sentence[] = []
  for (const part of utterance.text.split(ends)) {
    for (let rest = part.trim(); rest !== ''; ) {
      const text = rest.length <= longest ? rest : cut(rest)
      sentences.push({ text, utterance })
      rest = rest.slice(text.length).trim()
    }
  }
  return sentences
}

const ends = /(?<!\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|No)\.)(?<=[.!?…]["”’)]?)\s+|(?<=[。！？])|\n+/u

function cut(text: string): string {
  const head = text.slice(0, longest)
  const gap = head.lastIndexOf(' ')
  return gap > longest / 2 ? head.slice(0, gap) : head.replace(/[\ud800-\udbff]$/, '')
}

/** Curly apostrophes become straight ones: nothing moves, so that a place in the one is a place in the other. */
export const plain = (text: string): string => text.replaceAll('’', "'")

export const wordsOf = (text: string): string[] =>
  plain(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
