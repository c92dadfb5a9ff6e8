import { describe, expect, it } from 'vitest'
import { type Cue, formatSrt, formatVtt, parseVtt } from '../../src/features/transcripts/vtt.ts'
import { Problem } from '../../src/kernel/problem.ts'
import { asRead, parseText } from './parser.ts'

const cue = (text: string, speaker?: string): Cue => ({ start_ms: 1000, end_ms: 2500, speaker, text })

const hard = [
  'a --> b',
  '5 --> 3, and 0.5 --> 4',
  '1 < 2 & 3 > 2',
  '<b>bold</b> &amp; not decoded twice &lt;',
  'two\nlines',
  'NOTE this is no comment',
  'WEBVTT',
  '42',
  'Grüße, 世界 🙂',
]

describe('A transcript as WebVTT', () => {
  it.each(hard)('says %j to another parser as it was said, and to our own', async text => {
    const cues = [cue(text, 'Ada'), { ...cue('next', 'Bob'), start_ms: 3_723_004, end_ms: 3_724_000 }]
    const { cues: read, errors } = await parseText(formatVtt(cues), { type: 'vtt' })
    expect(errors).toEqual([])
    expect(read.map(asRead)).toEqual(cues)
    expect(parseVtt(formatVtt(cues))).toEqual(cues)
  })

  it('keeps a name that looks like markup', async () => {
    const cues = [cue('Hello', '<img onerror> & Co')]
    expect(parseVtt(formatVtt(cues))).toEqual(cues)
    const { cues: read } = await parseText(formatVtt(cues), { type: 'vtt' })
    expect(read).toHaveLength(1)
  })

  it('loses a blank line rather than what comes after it', async () => {
    const [said] = parseVtt(formatVtt([cue('one\n\n \t\n\r\ntwo')]))
    expect(said?.text).toBe('one\ntwo')
    const { cues: read } = await parseText(formatVtt([cue('one\n\ntwo')]), { type: 'vtt' })
    expect(read.map(asRead)).toMatchObject([{ text: 'one\ntwo' }])
    for (const format of [formatVtt, formatSrt]) expect(format([cue('one\n\u00A0\ntwo')])).toContain('one\ntwo')
  })
})

describe('A transcript as SubRip', () => {
  it.each(hard)('says %j to another parser as it was said', async text => {
    const { cues: read, errors } = await parseText(formatSrt([cue(text, 'Ada'), cue('next')]), { type: 'srt' })
    expect(errors).toEqual([])
    expect(read.map(({ startTime, endTime, text }) => ({ startTime, endTime, text }))).toEqual([
      { startTime: 1, endTime: 2.5, text: `Ada: ${text}` },
      { startTime: 1, endTime: 2.5, text: 'next' },
    ])
  })
})

describe('What looks like the times of a cue', () => {
  const times = '00:00:05,000 --> 00:00:06,000'

  it.each([
    ['in a text', cue(`listen\n\n42\n${times}\nforged`, 'Ada')],
    ['at the start of one', cue(`${times}\nforged`)],
    ['with points', cue('listen\n 0:0:5.0-->0:0:6.0\nforged', 'Ada')],
    ['as a name', cue('Hello', times)],
  ])('%s is not taken for another cue of SubRip', async (_, each) => {
    const srt = formatSrt([each])
    expect(srt.split('-->')).toHaveLength(2)
    const { cues: read, errors } = await parseText(srt, { type: 'srt' })
    expect(errors).toEqual([])
    expect(read).toMatchObject([{ startTime: 1, endTime: 2.5, text: expect.stringContaining('→') }])
  })

  it('is said in WebVTT as it was', () => {
    const cues = [cue(`listen\n${times}`, 'Ada'), cue('listen\n00:05.000 --> 00:06.000', 'Ada')]
    expect(parseVtt(formatVtt(cues))).toEqual(cues)
  })
})

describe('WebVTT of a captioner', () => {
  it('has characters by their numbers, too, and leaves alone what is none', () => {
    const [cue] = parseVtt(
      'WEBVTT\n\n00:01.000 --> 00:02.000\nIt&#39;s &#x3C;b&#x3e; &apos;ok&apos; &#0; &#xD800; &bogus;',
    )
    expect(cue?.text).toBe("It's <b> 'ok' &#0; &#xD800; &bogus;")
  })

  it('is read with names, comments, styles, settings and either kind of line end', () => {
    const source = [
      '\uFEFFWEBVTT - a title',
      'Kind: captions',
      '',
      'NOTE',
      'not a cue --> at all',
      '',
      'STYLE',
      '::cue { color: lime }',
      '',
      'first',
      '00:01.000 --> 00:02.500 align:start position:0%',
      '<v.loud Ada Lovelace>Hello, <i>you</i> &amp; you</v>',
      '',
      '01:00:03.000 --> 01:00:04.000',
      'Nobody says <00:03.500>who',
      '<v Bob>I do',
      '',
      '',
    ]
    for (const end of ['\n', '\r\n', '\r']) {
      expect(parseVtt(source.join(end))).toEqual([
        { start_ms: 1000, end_ms: 2500, speaker: 'Ada Lovelace', text: 'Hello, you & you' },
        { start_ms: 3_603_000, end_ms: 3_604_000, speaker: undefined, text: 'Nobody says who' },
        { start_ms: 3_603_000, end_ms: 3_604_000, speaker: 'Bob', text: 'I do' },
      ])
    }
  })

  it('loses no cue where a blank line has been forgotten', () => {
    const source = 'WEBVTT\n00:01.000 --> 00:02.000\none --> and a half\n0:00:03.000-->0:00:04.000\n<v Ada\nBee>two'
    expect(parseVtt(source)).toEqual([
      { start_ms: 1000, end_ms: 2000, speaker: undefined, text: 'one --> and a half' },
      { start_ms: 3000, end_ms: 4000, speaker: 'Ada Bee', text: 'two' },
    ])
  })

  it.each([
    ['no header', 'hello', 'line 1'],
    ['a time that is none', 'WEBVTT\n\n00:01 --> 00:02\nHello', 'line 3'],
    ['a time that is none, in the header', 'WEBVTT\n00:01 --> 00:02\nHello', 'line 2'],
    ['a minute of 61 seconds', 'WEBVTT\n\n00:01.000 --> 00:61.000\nHello', 'line 3'],
    ['an hour of 60 minutes', 'WEBVTT\n\n00:01.000 --> 60:00.000\nHello', 'line 3'],
    ['a name without times', 'WEBVTT\n\nfirst\nHello', 'line 4'],
  ])('with %s is refused, by the number of the line', (_, source, path) => {
    expect(() => parseVtt(source)).toThrow(
      expect.objectContaining({ extra: { errors: [expect.objectContaining({ path })] } }),
    )
  })

  it('is read or refused, whatever it is, and in time that grows with its length alone', () => {
    const pieces = [
      'WEBVTT',
      '\n\n',
      '\n',
      '00:01.000 --> 00:02.000',
      '<v ',
      '<',
      '>',
      '&lt;',
      '-->',
      'NOTE',
      ' ',
      'x',
      '\t',
    ]
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    let read = 0
    for (let i = 0; i < 3000; i++) {
      const body = Array.from({ length: random(30) }, () => pieces[random(pieces.length)]).join('')
      if (readOrRefused(i % 2 ? body : `WEBVTT\n\n00:01.000 --> 00:02.000\n${body}`)) read++
    }
    expect(read).toBeGreaterThan(500)
    // Quadratic, each of these would take minutes.
    for (const piece of ['<', '<v ', '&', '\n\n\n', '-->', ' ', '\t\n', '<v x', '00:01.000 ', '00:01.000 -->\n']) {
      const long = piece.repeat(300_000)
      const source = `WEBVTT\n\n00:01.000 --> 00:02.000\n${long}`
      expect(readOrRefused(source), piece).toBe(true)
    }
  })
})

/** False when it is refused; anything else that is thrown is a bug. */
function readOrRefused(source: string): boolean {
  try {
    parseVtt(source)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(Problem)
    return false
  }
}
