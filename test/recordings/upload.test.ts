import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { whenDone } from '../support/cleanup.ts'
import { createWorld } from '../support/world.ts'
import { begin, fetchAs, filesOf, liveMeeting, partsOf, put, recorded, sendChunk, sha256, upload } from './recorded.ts'

const world = await createWorld()
const folderOf = (id: string) => join(world.storage_dir, 'recordings', id)
const stop = (held: Awaited<ReturnType<typeof liveMeeting>>, id: string, body: object = {}) =>
  held.owner.post(`/api/recordings/${id}/stop`, body)

describe('What is uploaded', () => {
  it('may come in any order, more than once and at once, and is the same in the end', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    const { whole, parts } = partsOf(20)
    const order = [7, 3, 19, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0, 19]
    const replies = await Promise.all(order.map(n => put(held.owner, id, n, parts[n] ?? Buffer.alloc(0))))
    expect(replies.map(({ status }) => status)).toEqual(order.map(() => 204))

    const { status, body } = await stop(held, id, { chunks: 20 })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'ready', bytes: whole.length, sha256: sha256(whole), mocked: false })
    const got = await fetchAs(world, held.owner, `/api/recordings/${id}/download`)
    expect(got.bytes.equals(whole)).toBe(true)
    expect(readdirSync(folderOf(id))).toEqual(['recording'])
  })

  it('is refused with other bytes than the first time, also of two that come at once', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    const [one, other] = [randomBytes(5000), randomBytes(5000)]
    expect((await put(held.owner, id, 0, one)).status).toBe(204)
    const refused = await put(held.owner, id, 0, other)
    expect([refused.status, refused.body.code]).toEqual([409, 'chunk_mismatch'])

    const both = await Promise.all([one, other, one, other].map(bytes => put(held.owner, id, 1, bytes)))
    const codes = both.map(({ status }) => status).sort()
    expect(codes).toEqual([204, 204, 409, 409])
    const kept = both[0]?.status === 204 ? one : other
    const { body } = await stop(held, id)
    expect(body).toMatchObject({ status: 'ready', sha256: sha256(Buffer.concat([one, kept])) })
  })

  it('is missing a chunk, and the first of those is named', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    const { parts } = partsOf(4)
    for (const n of [0, 1, 3]) await put(held.owner, id, n, parts[n] as Buffer)
    for (const chunks of [undefined, 4]) {
      const { status, body } = await stop(held, id, { chunks })
      expect([status, body.code, body.expected]).toEqual([409, 'chunk_missing', 2])
    }
    await put(held.owner, id, 2, parts[2] as Buffer)
    expect((await stop(held, id, { chunks: 5 })).body).toMatchObject({ code: 'chunk_missing', expected: 4 })
    expect((await stop(held, id, { chunks: 4 })).body.status).toBe('ready')
    expect((await stop(held, id, { chunks: 9 })).body.status).toBe('ready')
    const late = await put(held.owner, id, 4, parts[0] as Buffer)
    expect([late.status, late.body.code]).toEqual([409, 'recording_over'])
  })

  it('has limits: of a chunk, of a recording, and of all together', async () => {
    const small = await createWorld({ RECORDING_MAX_MB: '1', RECORDINGS_MAX_GB: '0.0015' })
    const held = await liveMeeting(small)
    const id = await upload(held)
    const half = () => randomBytes(500_000)
    for (const n of [0, 1]) expect((await put(held.owner, id, n, half())).status).toBe(204)
    const tooLarge = await put(held.owner, id, 2, half())
    expect([tooLarge.status, tooLarge.body.code]).toEqual([413, 'recording_too_large'])
    const stopped = await held.owner.post(`/api/recordings/${id}/stop`)
    expect(stopped.body).toMatchObject({ status: 'ready', bytes: 1_000_000 })

    const second = await upload(held)
    expect((await put(held.owner, second, 0, half())).status).toBe(204)
    const full = await put(held.owner, second, 1, half().subarray(0, 200_000))
    expect([full.status, full.body.code]).toEqual([507, 'storage_full'])

    const huge = await held.owner.put(`/api/recordings/${second}/chunks/5`, 'x', { 'Content-Length': '16777217' }).then(
      reply => reply.status,
      () => 'cut off',
    )
    expect([413, 'cut off']).toContain(huge)
  })

  it('has the chunks that it should have, and no more; and a number is written in one way', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    for (const n of [0, 1]) await put(held.owner, id, n, Buffer.from(`${n}`))
    expect((await stop(held, id, { chunks: 1 })).body).toMatchObject({ code: 'chunks_too_many', expected: 1 })
    expect((await held.owner.get(`/api/recordings/${id}`)).body.status).toBe('active')
    for (const number of ['0x10', '1e1', '-0', '00', '%200', '100000']) {
      const path = `/api/recordings/${id}/chunks/${number}`
      expect((await fetchAs(world, held.owner, path, { method: 'PUT', body: 'x' })).status, number).toBe(422)
    }
  })

  it('reads nothing from who may not send it', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    expect((await put(held.guest, id, 0, randomBytes(10))).status).toBe(403)
    expect((await put(world.anyone, id, 0, randomBytes(10))).status).toBe(401)
    expect(existsSync(folderOf(id))).toBe(false)
  })

  it('may be refused in its middle, and the connection that brought it serves the next call', async () => {
    const held = await liveMeeting(world)
    const id = await upload(held)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    whenDone(() => agent.destroy())
    const tooLong = sendChunk(world, held.owner, id, 0, { agent, unannounced: true })
    for (let mebibytes = 0; mebibytes < 24; mebibytes++) tooLong.write(Buffer.alloc(1024 * 1024))
    tooLong.end()
    const refused = await tooLong.answered
    expect(refused).toMatchObject({ status: 413, code: 'body_too_large' })
    expect(filesOf(world, id)).toEqual([])

    const next = sendChunk(world, held.owner, id, 0, { agent })
    next.end(Buffer.from('short'))
    expect(await next.answered).toMatchObject({ status: 204, from_port: refused.from_port })
  })

  it('is too late when the recording was stopped, or deleted, while it was on its way; and leaves no file', async () => {
    const held = await liveMeeting(world)
    const stopped = await upload(held)
    await put(held.owner, stopped, 0, Buffer.from('all of it'))
    const late = sendChunk(world, held.owner, stopped, 1)
    late.write(randomBytes(1000))
    await late.arriving()
    expect((await stop(held, stopped)).body.status).toBe('ready')
    late.end(randomBytes(1000))
    expect(await late.answered).toMatchObject({ status: 409, code: 'recording_over' })
    expect(filesOf(world, stopped)).toEqual(['recording'])

    const deleted = await upload(held)
    const lost = sendChunk(world, held.owner, deleted, 0)
    lost.write(randomBytes(1000))
    await lost.arriving()
    expect((await held.owner.delete(`/api/recordings/${deleted}`)).status).toBe(204)
    lost.end(randomBytes(1000))
    expect(await lost.answered).toMatchObject({ status: 409, code: 'recording_over' })
    expect(existsSync(folderOf(deleted))).toBe(false)
  })

  it('belongs to nobody else, and is reached through no link of the disk', async () => {
    const held = await liveMeeting(world)
    const { id } = await recorded(held)
    expect(lstatSync(folderOf(id)).mode & 0o777).toBe(0o700)
    expect(statSync(join(folderOf(id), 'recording')).mode & 0o777).toBe(0o600)

    const outside = join(world.storage_dir, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'recording'), 'a secret')
    rmSync(folderOf(id), { recursive: true })
    symlinkSync(outside, folderOf(id))
    const got = await fetchAs(world, held.owner, `/api/recordings/${id}/download`)
    expect(got.status).toBe(500)
    expect(got.bytes.toString()).not.toContain('a secret')
    rmSync(folderOf(id))
    mkdirSync(folderOf(id))
    symlinkSync(join(outside, 'recording'), join(folderOf(id), 'recording'))
    expect((await fetchAs(world, held.owner, `/api/recordings/${id}/download`)).bytes.toString()).not.toContain(
      'a secret',
    )

    const next = await upload(held)
    symlinkSync(outside, folderOf(next))
    expect(
      (await fetchAs(world, held.owner, `/api/recordings/${next}/chunks/0`, { method: 'PUT', body: 'x' })).status,
    ).toBe(500)
    expect(readdirSync(outside)).toEqual(['recording'])
    await begin(await liveMeeting(world)) // and others go on
  })

  it.each([
    [{ source: 'upload', content_type: 'text/html' }, 'content_type'],
    [{ source: 'mock', content_type: 'video/webm' }, 'content_type'],
    [{ source: 'upload', content_type: 'video/webm;codecs="\r\nX: y"' }, 'content_type'],
    [{ source: 'tape' }, 'source'],
  ])('is nothing else than what a recorder makes: %j', async (body, path) => {
    const held = await liveMeeting(world)
    const reply = await held.owner.post(held.at('/recordings'), body)
    expect([reply.status, reply.body.errors[0].path]).toEqual([422, path])
  })
})
