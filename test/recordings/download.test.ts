import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { begin, fetchAs, liveMeeting, recorded, upload } from './recorded.ts'

const world = await createWorld()
const held = await liveMeeting(world, { title: '../../etc/passwd" X: y' })
const { id, whole } = await recorded(held)
const path = `/api/recordings/${id}/download`
const get = (headers: { [name: string]: string } = {}, method = 'GET') =>
  fetchAs(world, held.owner, path, { headers, method })

describe('A download', () => {
  it('is all of it, with what a client needs to know', async () => {
    const { status, headers, bytes } = await get()
    expect(status).toBe(200)
    expect(bytes.equals(whole)).toBe(true)
    expect(Object.fromEntries(headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-length': String(whole.length),
      'content-type': 'video/webm',
      'x-content-type-options': 'nosniff',
    })
    expect(headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/)
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="-..-etc-passwd[^"/]*\.webm"; filename\*=UTF-8''[^/]+\.webm$/,
    )
    expect(headers.get('x')).toBeNull()
  })

  it('has no name with a line break in it, for no meeting has such a title', async () => {
    const reply = await held.owner.post('/api/meetings', { title: '../../etc/passwd"\r\nX: y' })
    expect([reply.status, reply.body.errors[0].path]).toEqual([422, 'title'])
  })

  it.each([
    ['the first byte', 'bytes=0-0', 0, 0],
    ['the first part', 'bytes=0-4999', 0, 4999],
    ['the last part', 'bytes=5000-', 5000, 9999],
    ['a suffix', 'bytes=-10', 9990, 9999],
    ['more than there is', 'bytes=9000-99999', 9000, 9999],
  ])('is %s', async (_, Range, start, end) => {
    const { status, headers, bytes } = await get({ Range })
    expect(status).toBe(206)
    expect(headers.get('content-range')).toBe(`bytes ${start}-${end}/10000`)
    expect(headers.get('content-length')).toBe(String(end - start + 1))
    expect(bytes.equals(whole.subarray(start, end + 1))).toBe(true)
  })

  it('is refused beyond the end, with how much there is', async () => {
    const { status, headers, bytes } = await get({ Range: 'bytes=10000-' })
    expect(status).toBe(416)
    expect(headers.get('content-range')).toBe('bytes */10000')
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(headers.get('content-disposition')).toBeNull()
    expect(JSON.parse(bytes.toString()).code).toBe('range_not_satisfiable')
  })

  it('is a part only of what the client has begun with', async () => {
    const etag = (await get()).headers.get('etag') ?? ''
    const same = await get({ Range: 'bytes=0-9', 'If-Range': etag })
    expect([same.status, same.bytes.length]).toEqual([206, 10])
    for (const other of ['"of-another"', `W/${etag}`, new Date().toUTCString()]) {
      const all = await get({ Range: 'bytes=0-9', 'If-Range': other })
      expect([all.status, all.bytes.length]).toEqual([200, 10_000])
    }
  })

  it('is not sent again to who has it', async () => {
    const etag = (await get()).headers.get('etag') ?? ''
    const { status, bytes, headers } = await get({ 'If-None-Match': etag })
    expect([status, bytes.length, headers.get('etag')]).toEqual([304, 0, etag])
    expect((await get({ 'If-None-Match': `"another", W/${etag}` })).status).toBe(304)
    expect((await get({ 'If-None-Match': '"another"' })).status).toBe(200)
    const modified = (await get()).headers.get('last-modified') ?? ''
    expect((await get({ 'If-Modified-Since': modified })).status).toBe(304)
    expect((await get({ 'If-Modified-Since': new Date(0).toUTCString() })).status).toBe(200)
    expect((await get({ 'If-None-Match': '"another"', 'If-Modified-Since': modified })).status).toBe(200)
  })

  it('can be asked for by its head alone, for which there are no parts', async () => {
    const { status, headers, bytes } = await get({ Range: 'bytes=0-9' }, 'HEAD')
    expect([status, bytes.length]).toEqual([200, 0])
    expect(headers.get('content-length')).toBe('10000')
    expect(headers.get('content-range')).toBeNull()
    expect(headers.get('accept-ranges')).toBe('bytes')
  })

  it('is of a recording that is ready', async () => {
    const other = await liveMeeting(world)
    const unfinished = await upload(other)
    const reply = await fetchAs(world, other.owner, `/api/recordings/${unfinished}/download`)
    expect([reply.status, JSON.parse(reply.bytes.toString()).code]).toEqual([409, 'recording_not_ready'])
  })

  it('says nothing of a file that is lost, but that something is wrong', async () => {
    const other = await liveMeeting(world)
    const lost = await recorded(other)
    rmSync(join(world.storage_dir, 'recordings', lost.id), { recursive: true })
    const Range = 'bytes=0-9'
    const reply = await fetchAs(world, other.owner, `/api/recordings/${lost.id}/download`, { headers: { Range } })
    expect([reply.status, JSON.parse(reply.bytes.toString()).code]).toEqual([500, 'internal'])
    for (const name of ['content-disposition', 'content-range', 'etag', 'last-modified']) {
      expect(reply.headers.get(name), name).toBeNull()
    }
    expect(reply.headers.get('cache-control')).toBe('no-store')
  })

  it('is nothing to a stranger, to another tenant, to who waits, and to nobody', async () => {
    const stranger = await world.make.user()
    const foreigner = await world.make.user({ tenant_id: await world.make.tenant('another') })
    const waiting = await world.make.guest(held)
    const replies = [
      await fetchAs(world, undefined, path),
      await fetchAs(world, stranger, path),
      await fetchAs(world, foreigner, path),
      await fetchAs(world, undefined, path, { headers: { Authorization: `Bearer ${waiting.token}` } }),
    ]
    expect(replies.map(({ status }) => status)).toEqual([401, 404, 404, 403])
    for (const { bytes } of replies) expect(bytes.includes(whole.subarray(0, 16))).toBe(false)
  })
})

describe('A link', () => {
  const link = async (recording = id, ttl_s = 600): Promise<string> => {
    const { status, body } = await held.owner.post(`/api/recordings/${recording}/links`, { ttl_s })
    expect(status).toBe(201)
    return body.url.replace(/^https?:\/\/[^/]+/, '')
  }
  const open = (url: string) => fetchAs(world, undefined, url)

  it('lets anybody download that recording, in parts too, until it expires', async () => {
    const url = await link()
    expect((await open(url)).bytes.equals(whole)).toBe(true)
    expect((await fetchAs(world, undefined, url, { headers: { Range: 'bytes=0-1' } })).status).toBe(206)
    world.clock.advance(601)
    const over = await open(url)
    expect([over.status, JSON.parse(over.bytes.toString()).code]).toEqual([403, 'link_invalid'])
  })

  it('is good for nothing when it is altered, or put before another recording', async () => {
    const url = await link()
    const other = await recorded(await liveMeeting(world))
    const altered = url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A')
    for (const bad of [altered, url.replace(id, other.id), `${url}&x=1`, url.replace(/link=.*/, 'link=')]) {
      const { status, bytes } = await open(bad)
      expect([403, 422]).toContain(status)
      expect(bytes.includes(whole.subarray(0, 16))).toBe(false)
    }
  })

  it('is dead once all are revoked', async () => {
    const [one, two] = [await link(), await link()]
    expect((await held.owner.delete(`/api/recordings/${id}/links`)).status).toBe(204)
    expect([(await open(one)).status, (await open(two)).status]).toEqual([403, 403])
    expect((await open(await link())).status).toBe(200)
  })

  it('is stored as a hash, and is in no line of the log', async () => {
    const url = await link()
    await open(url)
    const secret = url.split('link=')[1] ?? 'none'
    expect(JSON.stringify(await world.db('recording_links'))).not.toContain(secret)
    expect(world.lines.join('')).not.toContain(secret)
  })

  it('goes with its recording', async () => {
    const other = await liveMeeting(world)
    const recording = await begin(other)
    await other.owner.post(`/api/recordings/${recording}/stop`)
    const { body } = await other.owner.post(`/api/recordings/${recording}/links`, {})
    await other.owner.delete(`/api/recordings/${recording}`)
    expect((await open(body.url.replace(/^https?:\/\/[^/]+/, ''))).status).toBe(403)
  })
})
