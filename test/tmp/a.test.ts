import { expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
it('does nothing', async () => {
  expect(world.origin).toBeTruthy()
})
