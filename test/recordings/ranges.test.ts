import { describe, expect, it } from 'vitest'
import { dispositionOf } from '../../src/http/download.ts'
import { partOf } from '../../src/http/ranges.ts'

describe('A range of a file of ten bytes', () => {
  it.each([
    [undefined, undefined],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=0-', { start: 0, end: 9 }],
    ['bytes=3-5', { start: 3, end: 5 }],
    ['bytes=9-', { start: 9, end: 9 }],
    ['bytes=5-99', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-99', { start: 0, end: 9 }],
    ['bytes=10-', 'none'],
    ['bytes=99-100', 'none'],
    ['bytes=-0', 'none'],
    ['bytes=5-4', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['items=0-1', undefined],
    ['bytes=a-b', undefined],
    ['bytes=0-99999999999999999999', { start: 0, end: 9 }],
  ])('%s', (header, part) => {
    expect(partOf(header, 10)).toEqual(part)
  })

  it('of an empty file there is none', () => {
    expect([partOf('bytes=0-', 0), partOf('bytes=-1', 0)]).toEqual(['none', 'none'])
  })
})

describe('The name of a download', () => {
  it.each([
    ['Plan.webm', `attachment; filename="Plan.webm"; filename*=UTF-8''Plan.webm`],
    [
      '../../etc/passwd"\r\nX: y.txt',
      `attachment; filename="-..-etc-passwd---X- y.txt"; filename*=UTF-8''-..-etc-passwd---X-%20y.txt`,
    ],
    ['Übung 🙂.webm', `attachment; filename="Ubung .webm"; filename*=UTF-8''%C3%9Cbung%20%F0%9F%99%82.webm`],
    [`it's (100%) *.txt`, `attachment; filename="it-s (100-) -.txt"; filename*=UTF-8''it%27s%20%28100%25%29%20-.txt`],
    [
      '．．／etc／passwd＂；x.txt',
      `attachment; filename="-etc-passwd--x.txt"; filename*=UTF-8''%EF%BC%8E%EF%BC%8E%EF%BC%8Fetc%EF%BC%8Fpasswd%EF%BC%82%EF%BC%9Bx.txt`,
    ],
    ['evil\u202Efdp.txt', `attachment; filename="evil-fdp.txt"; filename*=UTF-8''evil-fdp.txt`],
  ])('%j', (name, header) => {
    expect(dispositionOf(name)).toBe(header)
    expect(header).toMatch(/^[\x20-\x7E]+$/)
  })
})
