import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { emptyFolder } from '../support/process.ts'
import { createWorld } from '../support/world.ts'
import { fetchAs, filesOf, liveMeeting, put, recorded, sha256, upload } from './recorded.ts'

/** Programs that are called as ffmpeg and ffprobe are, and do what the test says; real ones are asked by test/crash. */
const programs = emptyFolder()
process.env.PATH = `${programs}${delimiter}${process.env.PATH}`

function install(name: 'ffmpeg' | 'ffprobe', script: string): void {
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(programs, name), 0o755)
}

/** The version is asked for at first. The last argument is the file to write, and the one after -i is what to read. */
const copying = (then = '') =>
  install(
    'ffmpeg',
    `[ "$1" = -version ] && exit 0
    while [ $# -gt 1 ]; do [ "$1" = -i ] && from=$2; shift; done
    { echo copy of; cat "$from"; } > "$1"; ${then}`,
  )

copying()
install('ffprobe', 'echo 12.3456')
const world = await createWorld()
const download = async (held: Awaited<ReturnType<typeof liveMeeting>>, id: string, query = '') =>
  fetchAs(world, held.owner, `/api/recordings/${id}/download${query}`)

it('a copy in which players can jump lies beside the original, and is downloaded by its own name and ETag', async () => {
  const held = await liveMeeting(world)
  const { id, whole } = await recorded(held)
  const { body } = await held.owner.get(`/api/recordings/${id}`)
  expect(body).toMatchObject({ duration_s: 12.346, seekable_bytes: whole.length + 8, sha256: sha256(whole) })
  const [original, copy] = [await download(held, id), await download(held, id, '?copy=seekable')]
  expect(original.bytes.equals(whole)).toBe(true)
  expect(copy.bytes.toString('latin1')).toBe(`copy of\n${whole.toString('latin1')}`)
  expect(copy.headers.get('etag')).not.toBe(original.headers.get('etag'))
  expect(filesOf(world, id).sort()).toEqual(['recording', 'seekable'])
})

it('a recording of which no copy can be made is as good as it was, and half a copy is not kept', async () => {
  copying('exit 1')
  const held = await liveMeeting(world)
  const { id, whole } = await recorded(held)
  const { body } = await held.owner.get(`/api/recordings/${id}`)
  expect(body).toMatchObject({ status: 'ready', duration_s: null, seekable_bytes: null })
  expect((await download(held, id)).bytes.equals(whole)).toBe(true)
  expect((await download(held, id, '?copy=seekable')).status).toBe(404)
  expect(filesOf(world, id)).toEqual(['recording'])
})

it('a disk with room for the recording and none for its copy keeps the recording', async () => {
  copying()
  const { open } = await import('node:fs/promises')
  const handle = await open('/dev/null')
  const FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const held = await liveMeeting(world)
  const id = await upload(held)
  const whole = Buffer.from('whole')
  expect((await put(held.owner, id, 0, whole)).status).toBe(204)
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const { sync } = FileHandle
  const spy = vi.spyOn(FileHandle, 'sync') // the joined file, its folder, and then the copy
  spy.mockImplementationOnce(sync).mockImplementationOnce(sync).mockRejectedValueOnce(full)
  const { body } = await held.owner.post(`/api/recordings/${id}/stop`)
  expect(spy).toHaveBeenCalledTimes(3)
  spy.mockRestore()
  expect(body).toMatchObject({ status: 'ready', sha256: sha256(whole), seekable_bytes: null, duration_s: null })
  expect(filesOf(world, id)).toEqual(['recording'])
})
