import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkStorage } from '../../src/features/recordings/check.ts'
import { createFiles } from '../../src/features/recordings/files.ts'
import { createWorld } from '../support/world.ts'
import { liveMeeting, put, recorded, upload } from './recorded.ts'

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

it('a folder that has belonged to nothing for an hour is removed, and one that has not is left alone', async () => {
  const ready = await recorded(await liveMeeting(world))
  for (const name of ['rec_old', 'rec_young']) mkdirSync(at(name))
  const long_ago = new Date(Date.now() - 2 * 3600_000)
  for (const name of ['rec_old', ready.id]) utimesSync(at(name), long_ago, long_ago)
  world.clock.advance(3601)
  await world.app.sweeper.tick()
  const left = readdirSync(at())
  expect(left).toContain('rec_young')
  expect(left).toContain(ready.id)
  expect(left).not.toContain('rec_old')
})
