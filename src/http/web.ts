import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Context, Middleware } from 'koa'
import { packageRoot } from '../kernel/package.ts'
import { isKnown } from './download.ts'

/**
 * What browsers are sent: the files of `web/`, by their names, and its pages. They are read once, at the start, so that no
 * path that somebody asks for ever reaches the disk. Pages of any origin may import the client, which is why it is public.
 */
export function serveWeb(): Middleware {
  const files = new Map(list(new URL('web/', packageRoot).pathname).map(file => [pathOf(file), file]))

  return (ctx, next) => {
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? files.get(ctx.path) : undefined
    return file ? answer(ctx, file) : next()
  }
}

interface WebFile {
  name: string
  type: string
  bytes: Buffer
  etag: string
}

/** A page is at its own name: `/meetings` is `web/meetings.html`. */
const pathOf = ({ name }: WebFile): string =>
  name === 'index.html' ? '/' : name.endsWith('.html') ? `/${name.slice(0, -'.html'.length)}` : `/web/${name}`

/** The page runs what this server sends, and nothing else; it calls nobody else, and stands in nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const types: { [extension: string]: string } = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
}

function list(folder: string): WebFile[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.flatMap(name => {
    const type = types[extname(name)]
    if (!type) return []
    const bytes = readFileSync(join(folder, name))
    return { name, type, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` }
  })
}

async function answer(ctx: Context, { type, bytes, etag }: WebFile): Promise<void> {
  ctx.state.route = '/web'
  ctx.status = 200
  ctx.set({ ETag: etag, 'Cache-Control': 'public, no-cache', 'Access-Control-Allow-Origin': '*' })
  if (type.startsWith('text/html')) ctx.set('Content-Security-Policy', policy)
  ctx.set('Content-Type', type)
  if (isKnown(ctx, etag)) ctx.status = 304
  else ctx.body = bytes
}
