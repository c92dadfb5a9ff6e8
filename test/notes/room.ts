import { expect } from 'vitest'
import type { World } from '../support/world.ts'

/** A meeting with its owner and a guest inside, and what they do to have notes. */

type Line = readonly [speaker: string, text: string]

export const oven: Line[] = [
  ['Ada', 'The oven of the bakery is broken since Monday.'],
  ['Bob', "I'll call the electrician tomorrow."],
  ['Ada', 'A new oven would cost nine thousand.'],
]

export async function assemble(world: World, body: object = {}) {
  const owner = await world.make.user({ name: 'Ada' })
  const held = await world.make.meeting(body, owner)
  const { at } = held
  const guest = await world.make.guest(held, 'Bob')
  await owner.post(at(`/participants/${guest.participant.id}/admit`))
  const { session, participant } = (await owner.post(at('/join'))).body
  expect((await guest.post(at('/join'))).status).toBe(201)

  return {
    ...held,
    guest,
    me: participant.id as string,
    session_id: session.id as string,
    /** A line every four seconds. */
    async say(...lines: Line[]): Promise<void> {
      const segments = lines.map(([speaker, text], i) => ({
        speaker,
        text,
        start_ms: i * 4000,
        end_ms: i * 4000 + 3500,
      }))
      expect((await owner.post(at('/transcript'), { segments })).status).toBe(200)
    },
    ask: (body: object = {}) => owner.post(at('/notes'), body),
    edit: (version: number, body: object, if_match?: string) =>
      owner.patch(at(`/notes/${version}`), body, if_match ? { 'If-Match': if_match } : {}),
    async events(): Promise<string[]> {
      const rows = world.db('events').where({ meeting_id: held.meeting.id }).where('type', 'like', 'notes.%')
      return rows.orderBy('id').pluck('type')
    },
  }
}
