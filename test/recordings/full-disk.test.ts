import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { comeIn, newRoom, word } from '../signaling/room.ts'
import { whenDone } from '../support/cleanup.ts'
import { createWorld } from '../support/world.ts'
import { begin, fetchAs, filesOf, liveMeeting, put, sha256, upload } from './recorded.ts'

/** A disk of four mebibytes. Where nobody may mount one, what Node answers is what it would be. */
async function smallDisk() {
  const world = await createWorld({ STORAGE_DIR: mkdtempSync(join(tmpdir(), 'parley-full-')) })
  const folder = world.config.storage_dir
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
    whenDone(async () => execFileSync('umount', ['-l', folder]))
    const filler = join(folder, 'filler')
    return {
      world,
      fill: () => {
        try {
          writeFileSync(filler, randomBytes(4 * 1024 * 1024))
        } catch {} // until there is no more room
      },
      empty: () => rmSync(filler),
    }
  } catch {
    const { FileHandle } = await fileHandles()
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    let spy: { mockRestore(): void } | undefined
    return {
      world,
      fill: () => {
        spy = vi.spyOn(FileHandle, 'write').mockRejectedValue(full)
      },
      empty: () => spy?.mockRestore(),
    }
  }
}

async function fileHandles() {
  const { open } = await import('node:fs/promises')
  const handle = await open('/dev/null')
  const FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  return { FileHandle }
}

it('a full disk is said to be full, makes nothing ready that is not whole, and stops neither meetings nor signals', async () => {
  const { world, fill, empty } = await smallDisk()
  const held = await liveMeeting(world)
  const id = await upload(held)
  const parts = [randomBytes(200_000), randomBytes(200_000)] as const
  expect((await put(held.owner, id, 0, parts[0])).status).toBe(204)

  fill()
  const refused = await put(held.owner, id, 1, parts[1])
  expect([refused.status, refused.body.code]).toEqual([507, 'storage_full'])
  expect(readdirSync(join(world.config.storage_dir, 'recordings', id))).toHaveLength(1)
  const stopped = await held.owner.post(`/api/recordings/${id}/stop`)
  expect([stopped.status, stopped.body.code]).toEqual([507, 'storage_full'])
  expect((await held.owner.get(`/api/recordings/${id}`)).body.status).toBe('processing')
  expect((await fetchAs(world, held.owner, `/api/recordings/${id}/download`)).status).toBe(409)

  const other = await liveMeeting(world)
  const mocked = await begin(other)
  expect((await other.owner.post(`/api/recordings/${mocked}/stop`)).status).toBe(507)
  const room = newRoom()
  const [ada, bob] = [await comeIn(world, room, 'Ada'), await comeIn(world, room, 'Bob')]
  await ada.send({ signals: [word(bob, 'still here')] })
  expect((await bob.readAll()).at(-1)?.payload).toBe('still here')

  empty()
  world.clock.advance(601)
  await world.app.sweeper.tick()
  await world.app.recordings.settled()
  for (const [recording, bytes] of [
    [id, parts[0]],
    [mocked, undefined],
  ] as const) {
    const row = await world.db('recordings').where({ id: recording }).first()
    expect(row.status).toBe('ready')
    if (bytes) expect(row.sha256).toBe(sha256(bytes))
  }
})

it('a disk that is full only when a name is to be kept is said to be full, too, and nothing is left', async () => {
  const world = await createWorld()
  const held = await liveMeeting(world)
  const id = await upload(held)
  const { FileHandle } = await fileHandles()
  const full = Object.assign(new Error('quota exceeded'), { code: 'EDQUOT' })
  const { sync } = FileHandle
  const spy = vi.spyOn(FileHandle, 'sync').mockImplementationOnce(sync).mockRejectedValueOnce(full) // the file, its folder
  const refused = await put(held.owner, id, 0, randomBytes(1000))
  expect(spy).toHaveBeenCalledTimes(2)
  spy.mockRestore()
  expect([refused.status, refused.body.code]).toEqual([507, 'storage_full'])
  expect(filesOf(world, id)).toEqual([])
  expect((await put(held.owner, id, 0, randomBytes(1000))).status).toBe(204)
})
