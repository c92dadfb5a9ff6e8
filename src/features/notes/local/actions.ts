import type { ActionItem } from '../schema.ts'
import { dueIn } from './due.ts'
import { createPeople, type People } from './people.ts'
import { plain, type Sentence, wordsOf } from './sentences.ts'
import { stopWords } from './stop-words.ts'

/**
 * Finds who has taken on what. Each pattern is a way in which people promise, ask or state that something is to be
 * done. What is asked, imagined, denied, told of somebody or over is none of it. A need and the promise that answers it
 * are one item, and a request that is turned down is none.
 */

type Kind =
  | 'promise' // by who speaks
  | 'assignment' // of somebody who is named
  | 'request' // to somebody; it may be a question
  | 'offer' // a question: a promise, once somebody else says yes
  | 'need' // nobody's yet
  | 'wish' // a need, if somebody takes it on or it has a date
  | 'label'

interface Pattern {
  kind: Kind
  regex: RegExp
}

interface Found extends ActionItem {
  kind: Kind
  /** From its verb on. */
  deed: string
  place: number
  speaker: string
}

const most = 100
/** So many sentences later, an answer still belongs to what was asked. */
const reach = 4

export async function findActions(
  sentences: Sentence[],
  display_names: Iterable<string>,
  breathe: () => Promise<void>,
): Promise<ActionItem[]> {
  const people = createPeople(display_names)
  const patterns = patternsFor(people)
  const open: Found[] = []
  for (const [place, sentence] of sentences.entries()) {
    turnDown(open, sentence, place)
    accept(open, sentence, place)
    for (const found of findIn(sentence, place, patterns, people)) {
      if (!answersEarlier(open, found)) open.push(found)
    }
    await breathe()
  }
  const kept = open.filter(isTaken).slice(0, most)
  return kept.map(({ text, who, due }) => ({ text, ...(who && { who }), ...(due && { due }) }))
}

const isTaken = ({ kind, due }: Found): boolean => kind !== 'offer' && (kind !== 'wish' || due !== undefined)

const adverbs = String.raw`(?:(?:also|then|just|definitely|certainly|gladly|happily|personally|quickly|probably|try to|make sure to|go ahead and|please)\s+)*`
const verb = String.raw`(?<deed>(?!not\b|never\b|no\b|to\b)[a-z][a-z'-]*)`
const doing = String.raw`(?<deed>(?:take|do|handle|prepare|write|send|draft|own|look|set|organi[sz]e|call|phone|book|check|fix|update|ask|get|bring|make|buy|order|find|arrange|contact|collect|compare|confirm|create|cut|deliver|email|finish|fill|file|follow|forward|help|install|invite|investigate|mail|move|open|pay|pick|plan|post|print|publish|record|register|renew|repeat|repair|replace|report|review|rewrite|run|schedule|share|sort|start|submit|summari[sz]e|talk|tell|test|translate|upload|verify|add|announce|apply|build|change|clean|close|remove|speak|put|let|give|remind|escalate|paint|reserve|sign|ship|deploy|document|train|measure|design|estimate|migrate|upgrade|merge|try)\b)`

function patternsFor({ pattern: name }: People): Pattern[] {
  const of = (kind: Kind, source: string): Pattern => ({ kind, regex: new RegExp(source, 'giu') })
  const modal = '(?:can|could|would|will)'
  const named = `(?<![\\p{L}\\p{N}])(?<name>${name})`
  return [
    of(
      'label',
      String.raw`^\W*(?:action items?|action points?|to-?\s?do|follow-?up|next step)s?(?:\s+for\s+(?<name>${name}|me|us))?\s*[:\u2013\u2014-]\s*(?<deed>\S.*)$`,
    ),
    of('request', `${named},?\\s+${modal} you\\s+${adverbs}${verb}`),
    of('request', `${named},\\s+(?:you(?:'ll| will| need to| have to| should| must)\\s+${adverbs}${verb})`),
    of('request', `${named},\\s+please\\s+${adverbs}${verb}`),
    of('request', `${named},\\s+${doing}`),
    of('request', `\\b${modal} you\\s+${adverbs}${verb}[^.?!]*,\\s*(?<name>${name})(?=[\\s.?!]*$)`),
    of('request', `\\bplease\\s+${adverbs}${verb}[^.?!]*,\\s*(?<name>${name})(?=[\\s.?!]*$)`),
    of('request', `\\b${modal} you\\s+${adverbs}${doing}`),
    of('request', `^(?:\\p{L}+,?\\s+)?please\\s+${adverbs}${doing}`),
    of(
      'assignment',
      `${named}(?:'ll| will|'s going to| is going to| is responsible for| takes care of| has to| needs to| must| should| agreed to| offered to)\\s+${adverbs}${verb}`,
    ),
    of('assignment', `^\\W*${named} to\\s+${adverbs}${doing}`),
    of('assignment', `\\bI(?:'d like| would like| want| need)\\s+${named}\\s+to\\s+${adverbs}${verb}`),
    of('request', `\\b(?:can|could|would)\\s+${named}\\s+${adverbs}${doing}`),
    of('offer', `\\b(?:shall|should|can) I\\s+${adverbs}${doing}`),
    of('promise', `\\bI(?:'ll| will|'m going to| am going to|'m gonna| need to| have to| must)\\s+${adverbs}${verb}`),
    of('promise', `\\bI can\\s+${adverbs}${doing}`),
    of('promise', `\\b(?:I'm happy|I am happy|I'd be happy|I'm glad|I volunteer|happy) to\\s+${adverbs}${doing}`),
    of(
      'promise',
      `\\blet me\\s+(?!know\\b|see\\b|start\\b|share\\b|try\\b|finish\\b|repeat\\b|tell\\b|ask you\\b|put it\\b|give you\\b)${adverbs}${doing}`,
    ),
    of('promise', `\\b(?<deed>leave (?:it|that|this|the [\\p{L} ]{1,40}) to me)\\b`),
    of('need', `\\b(?:we|somebody|someone) (?:need to|needs to|have to|has to|must)\\s+${adverbs}${verb}`),
    of('wish', `\\b(?:we should|somebody should|someone should|let's)\\s+${adverbs}${verb}`),
  ]
}

/** What is said about oneself, or about the conversation, and done by nobody. */
const idle =
  /^(be(?! (?!able|going|doing|having|being)\p{L}+ing\b)|been|see you|speak to you|talk to you|say|admit|bet|cry|die|laugh|stop|pass|mute|unmute|share (my|the) screen|hand (over|it|to)|go (first|ahead|now|on)|wait|miss|keep (it|this) (short|brief)|repeat (that|myself|what)|explain|take (that|it) as|join|drop|leave(?! (it|that|this|the [\p{L} ]{1,40}) to me)|remember|always|skip|get (back )?to (that|it|this)|come (back )?to|(start|begin) (with|by)|let (you|\p{Lu}\p{L}+) (start|begin|speak|go|talk)|close (the|this) (meeting|call|assembly|session)|pretend|love|like|know|think|believe|hope|want|need|have|survive|regret|complain|forgive|forget|live|feel|get (angry|used|it|there)|think about|move on|come|hear|imagine|guess|tell you|give you an? (example|idea)|understand|accept|worry|hurry|agree|talk(?! to)|discuss|wrap|call it)\b/iu

/** Before it, these make it something that is imagined, or that was told of. */
const unreal =
  /\b(if|unless|suppose|supposing|imagine|in case|wish|maybe|perhaps|might|hopefully|otherwise|said|told|thought|promised|says|claimed|heard|hoped|guess|would|could have|should have|when|don't think|doubt|not sure|unlikely|afraid)\b/i
const conditional = /\b(if|unless|in case|provided)\b/i
const finding = /^(check|see|ask|find|test|look|verify|try|investigate|report|tell|call|let)\b/i

function findIn(sentence: Sentence, place: number, patterns: Pattern[], people: People): Found[] {
  const text = plain(sentence.text)
  const { speaker } = sentence.utterance
  const asks = /\?\W*$/.test(text)
  const matches = patterns
    .flatMap(({ kind, regex }) =>
      asks && kind !== 'request' && kind !== 'offer' ? [] : [...text.matchAll(regex)].map(match => ({ kind, match })),
    )
    .map(({ kind, match }) => ({ kind, start: match.index, ...readMatch(kind, match, speaker, people) }))
    .filter(
      ({ kind, start, deed, who }) => isReal(kind, text, start, deed) && (kind !== 'assignment' || who !== undefined),
    )
    .filter(({ kind, who }) => kind !== 'request' || who !== undefined)
    .sort((a, b) => a.start - b.start)

  const apart: typeof matches = []
  for (const match of matches) {
    const last = apart.at(-1)
    if (!last || (last.kind !== 'label' && match.start >= last.until)) apart.push(match)
  }
  return apart.map(({ kind, who, deed, start }, i) => {
    const next = apart[i + 1]
    const alone = apart.length === 1
    const span = alone ? sentence.text : sentence.text.slice(i === 0 ? 0 : start, next?.start).replace(loose, '')
    const due = dueIn(sentence.text.slice(alone ? 0 : start, next?.start))
    return { kind, text: span, who, due, deed, place, speaker }
  })
}

const loose = /[\s,;:–-]+(?:(?:and|then|so|while|but)[\s,]*)*$/i

function readMatch(kind: Kind, match: RegExpMatchArray, speaker: string, people: People) {
  const { name, deed: verb = '' } = match.groups ?? {}
  const at = (match.index ?? 0) + match[0].indexOf(verb, name && match[0].startsWith(name) ? name.length : 0)
  const deed = (match.input ?? '').slice(at)
  const who = whoIs(kind, name, deed, speaker, people)
  return { who, deed, until: at + verb.length }
}

function whoIs(kind: Kind, name: string | undefined, deed: string, speaker: string, people: People) {
  if (kind === 'promise' || kind === 'offer') return speaker
  if (kind === 'label') {
    const [first = ''] = deed.match(/^[\p{L}'-]+/u) ?? []
    if (name === 'me' || /^I\b/.test(deed)) return speaker
    return people.find(name ?? '') ?? people.find(first)
  }
  if (name !== undefined) return people.find(name)
  return kind === 'request' ? people.otherThan(speaker) : undefined
}

function isReal(kind: Kind, text: string, start: number, deed: string): boolean {
  if (kind === 'label') return true
  if (idle.test(deed)) return false
  // What stands before a "but" is another thought.
  const before = text.slice(0, start).replace(/^.*\b(?:but|so)\b/i, '')
  if (unreal.test(before)) return false
  return !conditional.test(deed) || finding.test(deed)
}

const refusal =
  /^(?:no\b(?! problem| worries)|nope|sorry|i can't|i cannot|i won't|i'd rather not|i'm afraid|unfortunately)/i

/** The first that somebody says after a request to them may be that they will not. */
function turnDown(open: Found[], { text, utterance }: Sentence, place: number): void {
  const last = open.at(-1)
  if (last?.kind !== 'request' || last.who !== utterance.speaker || place - last.place > reach) return
  if (refusal.test(plain(text))) open.pop()
}

const assent = /^(?:yes|yeah|yep|please|sure|perfect|great|go ahead|that would|that'd|okay|ok)\b/i

function accept(open: Found[], { text, utterance }: Sentence, place: number): void {
  const last = open.at(-1)
  if (last?.kind !== 'offer' || last.speaker === utterance.speaker || place - last.place > reach) return
  if (assent.test(text)) last.kind = 'promise'
  else open.pop()
}

/** "I'll do that" has its meaning from before; and a need is met by a promise that speaks of the same. */
function answersEarlier(open: Found[], found: Found): boolean {
  if (found.kind !== 'promise' && found.kind !== 'assignment') return false
  const earlier = open.findLast(({ place, who }) => found.place - place <= reach && (!who || who === found.who))
  const pointing = pointsBack(found.deed)
  if (!earlier || earlier.place === found.place) return pointing && vague.test(found.deed)
  if (pointing && (earlier.kind !== 'promise' || vague.test(found.deed))) {
    take(earlier, found)
    return true
  }
  if (earlier.who || !sharesWord(earlier.text, found.text)) return false
  const { due } = earlier
  open.splice(open.indexOf(earlier), 1)
  open.push({ ...found, due: found.due ?? due })
  return true
}

function take(earlier: Found, { who, due }: Found): void {
  earlier.who ??= who
  earlier.due = due ?? earlier.due
  if (earlier.kind !== 'request') earlier.kind = 'promise'
}

const pointsBack = (deed: string): boolean =>
  /^[\p{L}'-]+(?: (?:up|out|on|over|care of|through|after))?(?: (?:it|that|this|them|those|one|so)\b|\W*$)/iu.test(deed)
const vague = /^(do|take|handle|try|manage)\b/i

function sharesWord(a: string, b: string): boolean {
  const words = new Set(wordsOf(a).filter(word => word.length > 3 && !stopWords.has(word)))
  return wordsOf(b).some(word => words.has(word))
}
