import { describe, expect, it } from 'vitest'
import { createWorld, type Held } from '../support/world.ts'

const world = await createWorld()
const owner = await world.make.user()
const makeMeeting = (body: object = {}) => world.make.meeting(body, owner)

/** What is told of a meeting by events of that type, and who did it. */
async function told({ meeting }: Pick<Held, 'meeting'>, type: string) {
  const rows = await world.db('events').where({ meeting_id: meeting.id, type }).orderBy('id')
  return rows.map(({ actor_kind, actor_id, data }) => ({ actor_kind, actor_id, ...JSON.parse(data) }))
}

describe('the events tell', () => {
  it('who has left the lobby, of their own accord or by their silence', async () => {
    const held = await makeMeeting()
    const [leaving, silent] = [await world.make.guest(held, 'Leaving'), await world.make.guest(held, 'Silent')]
    for (let i = 0; i < 2; i++) await leaving.post(held.at('/leave'))
    const [first, ...others] = await told(held, 'participant.stopped_waiting')
    expect(first).toMatchObject({ actor_kind: 'guest', participant_id: leaving.participant.id })
    expect(others).toEqual([])

    world.clock.advance(60)
    await world.app.sweeper.tick()
    const [, second] = await told(held, 'participant.stopped_waiting')
    expect(second).toMatchObject({ actor_kind: 'system', participant_id: silent.participant.id })
  })

  it.each([
    ['ends', (held: Held) => owner.post(held.at('/end'))],
    ['is deleted', (held: Held) => owner.delete(held.at())],
  ])('of each connection that was open that it is closed when the meeting %s', async (_what, finish) => {
    const held = await makeMeeting()
    const guest = await world.make.guest(held)
    await owner.post(held.at('/lobby/admit-all'))
    const join = async (person: Pick<typeof guest, 'post'>) => (await person.post(held.at('/join'))).body.connection.id
    const gone = await join(guest)
    await guest.post(held.at('/leave'))
    const open = [await join(owner), await join(guest), await join(guest)]
    await finish(held)
    const left = await told(held, 'participant.left')
    expect(left[0]).toMatchObject({ connection_id: gone, reason: 'left', actor_kind: 'guest' })
    const atTheEnd = left.slice(1)
    expect(atTheEnd.map(({ connection_id }) => connection_id).sort()).toEqual(open.sort())
    for (const event of atTheEnd) expect(event).toMatchObject({ reason: 'meeting_ended', actor_id: owner.user.id })
    expect(await told(held, 'meeting.ended')).toHaveLength(1)
  })

  it('who leaves the lobby because the time is another one', async () => {
    const held = await makeMeeting({ scheduled_at: world.clock.in(3600), lobby: true })
    const [moved, proposing] = [await world.make.invitee(held), await world.make.invitee(held)]
    for (const person of [moved, proposing]) expect((await person.post(held.at('/join'))).status).toBe(202)
    await proposing.post(`${proposing.invited}/propose`, { scheduled_at: world.clock.in(7200) })
    expect(await told(held, 'participant.stopped_waiting')).toHaveLength(1)
    await owner.patch(held.at(), { scheduled_at: world.clock.in(7200) })
    expect(await told(held, 'participant.stopped_waiting')).toHaveLength(2)
  })

  it('who has become the host of a quick room, and who is none any more, each time that it begins anew', async () => {
    const enter = async () => {
      const { body } = await world.anyone.post('/api/rooms/tea/enter', { display_name: 'Ada' })
      const person = world.anyone.with({ headers: { Authorization: `Bearer ${body.participant_token}` } })
      const meeting = { id: body.session.meeting_id } as Held['meeting']
      return { meeting, id: body.participant.id, leave: () => person.post(`/api/meetings/${meeting.id}/leave`) }
    }
    const first = await enter()
    const second = await enter()
    for (const person of [first, second]) await person.leave()
    const third = await enter()
    expect(
      (await told(first, 'participant.role_changed')).map(({ participant_id, role }) => [participant_id, role]),
    ).toEqual([
      [first.id, 'host'],
      [first.id, 'participant'],
      [third.id, 'host'],
    ])
  })
})
