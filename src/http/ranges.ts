/** Which part of a file is asked for (RFC 9110, 14). Both ends are included. */
export interface Part {
  start: number
  end: number
}

/**
 * Undefined for all of it: when nothing is said, when what is said is no range of bytes, and when several parts are asked
 * for, which nobody needs who plays a recording. `none` when there is no such part.
 */
export function partOf(header: string | undefined, size: number): Part | 'none' | undefined {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length > 0 ? { start: size - length, end: size - 1 } : 'none'
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined // no range at all, rather than one that does not exist
  return start < size ? { start, end } : 'none'
}
