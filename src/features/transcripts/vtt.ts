import { Invalid } from '../../kernel/problem.ts'

/**
 * WebVTT, as far as a transcript needs it: cues, their times, who speaks, and what is said. How a cue is placed and styled
 * is read over, and so are comments. A cue that cannot be understood fails the whole, by the number of its line: half a
 * transcript would be worse than none.
 */

export interface Cue {
  start_ms: number
  end_ms: number
  speaker?: string | undefined
  text: string
}

const time = String.raw`((?:\d{1,4}:)?[0-5]\d:[0-5]\d\.\d{3})`
const timing = new RegExp(String.raw`^[ \t]*${time}[ \t]*-->[ \t]*${time}(?:[ \t].*)?$`)
const arrow = '-->'

export function parseVtt(source: string): Cue[] {
  const lines = source.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  if (!/^WEBVTT(?:[ \t].*)?$/.test(lines[0] ?? '')) throw wrong(0, 'must be WEBVTT')
  const cues: Cue[] = []
  let i = endOfHeader(lines)
  while (i < lines.length) {
    const line = lines[i] ?? ''
    if (line === '') {
      i++
      continue
    }
    if (/^(?:NOTE|STYLE|REGION)(?:[ \t]|$)/.test(line)) {
      i = endOfBlock(lines, i)
      continue
    }
    if (!line.includes(arrow)) i++ // the name of the cue
    const [, start, end] = timing.exec(lines[i] ?? '') ?? []
    if (start === undefined || end === undefined) throw wrong(i, 'must be the times of a cue: 00:01.000 --> 00:02.500')
    const from = i + 1
    i = endOfCue(lines, from)
    cues.push(...spokenIn(lines.slice(from, i).join('\n'), millis(start), millis(end)))
  }
  return cues
}

/** The first blank line; or the first cue, where that line has been forgotten. */
function endOfHeader(lines: string[]): number {
  const end = lines.findIndex((line, i) => i > 0 && (line === '' || line.includes(arrow)))
  return end < 0 ? lines.length : end
}

/** The blank line behind it; or the times of the next one, where that line has been forgotten. */
function endOfCue(lines: string[], from: number): number {
  let i = from
  while (i < lines.length && lines[i] !== '' && !timing.test(lines[i] ?? '')) i++
  return i
}

/** The number of the blank line behind it. */
function endOfBlock(lines: string[], i: number): number {
  const end = lines.indexOf('', i)
  return end < 0 ? lines.length : end
}

/** One for each voice; what is said before any voice has none. */
function spokenIn(markup: string, start_ms: number, end_ms: number): Cue[] {
  const cues: Cue[] = []
  let speaker: string | undefined
  let text = ''
  const close = () => {
    const said = plain(text)
    if (said !== '') cues.push({ start_ms, end_ms, speaker, text: said })
    text = ''
  }
  for (const piece of markup.split(/(<[^<>]*>)/)) {
    const voice = /^<v(?:\.[^ \t\n>]*)?(?:[ \t\n]+([^>]*))?>$/.exec(piece)
    if (voice || piece === '</v>') {
      close()
      speaker = plain(voice?.[1] ?? '').replace(/\s+/g, ' ') || undefined
    } else if (!/^<[^<>]*>$/.test(piece)) text += piece
  }
  close()
  return cues
}

const entities: { [name: string]: string } = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: '\u00A0',
  lrm: '\u200E',
  rlm: '\u200F',
  quot: '"',
  apos: "'",
}

const isCharacter = (code: number) => code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)

const plain = (text: string) =>
  text
    .replace(/&(?:(amp|lt|gt|nbsp|lrm|rlm|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name, decimal, hex) => {
      const code = Number.parseInt(decimal ?? hex, decimal ? 10 : 16)
      return name ? (entities[name.toLowerCase()] ?? whole) : isCharacter(code) ? String.fromCodePoint(code) : whole
    })
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim()

function millis(time: string): number {
  const [seconds = '', minutes = '', hours = '0'] = time.split(':').reverse()
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000)
}

const wrong = (line: number, message: string) => Invalid({ errors: [{ path: `line ${line + 1}`, message }] })

export function formatVtt(cues: Cue[]): string {
  const blocks = cues.map(({ start_ms, end_ms, speaker, text }) => {
    const voice = speaker === undefined ? '' : `<v ${escaped(speaker)}>`
    return `${timeOf(start_ms, '.')} --> ${timeOf(end_ms, '.')}\n${voice}${escaped(unbroken(text))}\n`
  })
  return ['WEBVTT\n', ...blocks].join('\n')
}

/**
 * SubRip knows neither voices nor escapes: the speaker is a part of the text, which is said as it is. But for one thing:
 * between two times, an arrow is written `→`, since many a reader would take them for those of another cue.
 */
export function formatSrt(cues: Cue[]): string {
  const blocks = cues.map(({ start_ms, end_ms, speaker, text }, i) => {
    const said = unbroken(speaker === undefined ? text : `${speaker}: ${text}`).replace(arrowOfTimes, '$1→')
    return `${i + 1}\n${timeOf(start_ms, ',')} --> ${timeOf(end_ms, ',')}\n${said}\n`
  })
  return blocks.join('\n')
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const arrowOfTimes = /(\d[:.,][ \t]*[-+]?\d+[ \t]*)-->(?=[ \t]*[-+]?\d+:)/g

/** A blank line would end the cue, and to many so would one of spaces. */
const unbroken = (text: string) => text.replace(/\r\n?/g, '\n').replace(/\n[^\S\n]*(?=\n)/g, '')

function timeOf(ms: number, point: '.' | ','): string {
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, '0')
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(value => part(value, 2)).join(':')
  return `${clock}${point}${part(ms % 1000, 3)}`
}
