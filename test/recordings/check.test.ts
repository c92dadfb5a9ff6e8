import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { checkStorage } from '../../src/features/recordings/check.ts'
import { createFiles } from '../../src/features/recordings/files.ts'
import { emptyFolder, freePort, run, startServer } from '../support/process.ts'
import { createWorld } from '../support/world.ts'
import { filesOf, liveMeeting, put, recorded, upload } from './recorded.ts'

const world = await createWorld()
const check = () => checkStorage(world.db, createFiles(world.storage_dir))
const at = (...names: string[]) => join(world.storage_dir, 'recordings', ...names)

it('the check of the storage names what belongs to nothing and what is missing, and nothing else', async () => {
  const ready = await recorded(await liveMeeting(world))
  const lost = await recorded(await liveMeeting(world))
  const held = await liveMeeting(world)
  const active = await upload(held)
  await put(held.owner, active, 0, Buffer.from('part'))
  expect(await check()).toEqual({ orphans: [], missing: [], checked: 3 })

  writeFileSync(at(ready.id, 'part-of-a-crash'), 'x')
  mkdirSync(at('rec_of_nothing'))
  rmSync(at(lost.id), { recursive: true })
  expect(await check()).toEqual({
    orphans: [`${ready.id}/part-of-a-crash`, 'rec_of_nothing'],
    missing: [`${lost.id}/recording`],
    checked: 3,
  })
})

it('a folder that has belonged to nothing for a week is removed, and one that has not is left alone', async () => {
  const ready = await recorded(await liveMeeting(world))
  for (const name of ['rec_old', 'rec_young']) mkdirSync(at(name))
  const long_ago = new Date(Date.now() - 8 * 24 * 3600_000)
  for (const name of ['rec_old', ready.id]) utimesSync(at(name), long_ago, long_ago)
  world.clock.advance(3601)
  await world.app.sweeper.tick()
  const left = readdirSync(at())
  expect(left).toContain('rec_young')
  expect(left).toContain(ready.id)
  expect(left).not.toContain('rec_old')
})

it('what a crash has left beside a recording that is settled goes after an hour, and the recording stays', async () => {
  const ready = await recorded(await liveMeeting(world))
  const held = await liveMeeting(world)
  const failed = await upload(held)
  await held.owner.post(`/api/recordings/${failed}/stop`, { chunks: 0 })
  expect((await held.owner.get(`/api/recordings/${failed}`)).body.status).toBe('failed')
  const active = await upload(held)
  await put(held.owner, active, 0, Buffer.from('part'))
  const [part] = filesOf(world, active)

  mkdirSync(at(failed))
  const long_ago = new Date(Date.now() - 2 * 3600_000)
  for (const id of [ready.id, failed, active]) {
    writeFileSync(at(id, '0-of-a-crash'), 'x')
    utimesSync(at(id), long_ago, long_ago)
  }
  world.clock.advance(3601)
  await world.app.sweeper.tick()
  expect(filesOf(world, ready.id)).toEqual(['recording'])
  expect(filesOf(world, failed)).toEqual([])
  expect(filesOf(world, active)).toContain(part)
})

it('storage:check is a program: 0 when all is well, 1 when it has names to print, 2 when it cannot look', async () => {
  const folder = emptyFolder()
  const env = { PORT: String(await freePort()), DATABASE_URL: 'sqlite:storage/parley.sqlite', DEMO: 'off' }
  const program = join(inject('build'), 'dist/src/storage-check.js')
  const checked = async () => {
    const check = run(process.execPath, [program], folder, env)
    return { code: (await check.ended).code, output: check.output() }
  }
  const server = startServer(folder, env)
  await server.prints('is listening')
  const refused = await checked()
  expect(refused.code).toBe(2)
  expect(refused.output).toMatch(/^.* is in use by another process .*\n$/)
  server.child.kill('SIGTERM')
  await server.ended

  expect(await checked()).toEqual({ code: 0, output: '0 recordings, 0 orphans, 0 missing\n' })
  mkdirSync(join(folder, 'storage', 'recordings', 'rec_of_nothing'), { recursive: true })
  const found = await checked()
  expect(found).toEqual({ code: 1, output: 'orphan   rec_of_nothing\n0 recordings, 1 orphans, 0 missing\n' })
}, 60_000)

it('the storage of another database is left alone', async () => {
  const other = await createWorld()
  const folder = join(other.storage_dir, 'recordings', 'rec_of_another')
  mkdirSync(folder, { recursive: true })
  const long_ago = new Date(Date.now() - 30 * 24 * 3600_000)
  utimesSync(folder, long_ago, long_ago)
  await other.app.sweeper.tick()
  expect(filesOf(other, 'rec_of_another')).toEqual([])
  expect(readdirSync(join(other.storage_dir, 'recordings'))).toEqual(['rec_of_another'])
  expect(other.lines.join('')).toContain('no recording in STORAGE_DIR is of this database')
})
