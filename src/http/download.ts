import type { Context } from 'koa'
import { RangeNotSatisfiable } from './problems.ts'
import { partOf } from './ranges.ts'
import type { Handed } from './route.ts'

/** Hands out a file: all of it or a part, or the word that it has not changed, or only what there is to be said of it. */
export async function answerDownload(ctx: Context, file: Handed): Promise<void> {
  const { size, etag, content_type } = file
  const modified_at = new Date(file.modified_at)
  const known = isKnown(ctx, etag, modified_at)
  const asked = ctx.method === 'GET' && isOfThis(ctx.get('If-Range'), etag) ? ctx.get('Range') : undefined
  const part = known ? undefined : partOf(asked, size)
  if (part === 'none') throw RangeNotSatisfiable({ size })
  const { start, end } = part ?? { start: 0, end: size - 1 }
  // Nothing is said of the file before it is open: it would be untrue of the problem that is answered in its stead.
  const body = known || ctx.method === 'HEAD' ? undefined : size === 0 ? '' : await file.open(start, end)

  ctx.set({
    'Accept-Ranges': 'bytes',
    ETag: etag,
    'Last-Modified': modified_at.toUTCString(),
    'Cache-Control': 'private, no-cache', // may be kept, but is asked about each time: the right to it may have gone
    'Content-Disposition': dispositionOf(file.name),
  })
  ctx.status = known ? 304 : part ? 206 : 200
  if (known) return
  if (part) ctx.set('Content-Range', `bytes ${start}-${end}/${size}`)
  if (body !== undefined) ctx.body = body
  ctx.set('Content-Type', content_type)
  ctx.length = end - start + 1
}

/** Whether the caller has it already. A date counts only if no ETag is named. */
export function isKnown(ctx: Context, etag: string, modified_at?: Date): boolean {
  const tags = ctx.get('If-None-Match')
  if (tags !== '') return tags.split(',').some(tag => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
  const since = Date.parse(ctx.get('If-Modified-Since'))
  return modified_at !== undefined && Math.floor(modified_at.getTime() / 1000) * 1000 <= since
}

/** By a strong ETag only: a date is too coarse to tell whether a part still fits. */
const isOfThis = (if_range: string, etag: string): boolean => if_range === '' || if_range === etag

/** RFC 6266 and 8187: the name for everybody, and a plain one for who cannot read that. */
export function dispositionOf(name: string): string {
  const safe = tame(name.normalize('NFC'))
  // Tamed once more, for some signs turn into others when they are written plainly.
  const plain = tame(safe.normalize('NFKD').replace(/[^\x20-\x7E]/g, '')).replace(/[%;']/g, '-')
  const encoded = encodeURIComponent(safe).replace(
    /['()*]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** Without what leads elsewhere, ends a name, or is not seen. */
const tame = (name: string): string =>
  name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, '-').replace(/^[.\s]+/, '')
