import { describe, expect, it } from 'vitest'
import { linkIn, startSmtp } from '../support/smtp.ts'
import { createWorld } from '../support/world.ts'

const smtp = await startSmtp()
const world = await createWorld({ SMTP_URL: smtp.url })
const { clock } = world

/** Whom letters have come to since it was last asked. */
async function delivered() {
  clock.advance(5)
  await world.app.mailSweeper.tick()
  return smtp.arrivals.splice(0).map(({ to, letter }) => ({ to: to.join(), text: letter.text ?? '' }))
}

/** A planned meeting with two who accepted, one of whom was banned from it. */
async function withBanned() {
  const held = await world.make.meeting({ scheduled_at: clock.in(3600), title: 'Tea' })
  const banned = await world.make.invitee(held)
  const other = await world.make.invitee(held)
  const letter = (await delivered()).find(({ to }) => to === banned.user.email)
  const link = linkIn(letter?.text) ?? ''
  const { id } = await world.db('meeting_participants').where({ invitation_id: banned.invitation.id }).first('id')
  const door = (verb: string, body?: object) => held.owner.post(held.at(`/participants/${id}/${verb}`), body)
  expect((await door('remove', { ban: true })).body.state).toBe('banned')
  return { ...held, banned, other, link, door }
}

describe('who is banned from a meeting', () => {
  it('does not find it among theirs, until the ban is lifted', async () => {
    const { banned, other, door, meeting } = await withBanned()
    const ids = async (person: typeof banned) =>
      (await person.get('/api/meetings')).body.data.map(({ id }: { id: string }) => id)
    expect(await ids(other)).toEqual([meeting.id])
    expect(await ids(banned)).toEqual([])
    expect((await banned.get('/api/meetings?role=invitee&status=scheduled&q=tea')).body.data).toEqual([])
    await door('unban')
    expect(await ids(banned)).toEqual([meeting.id])
  })

  it('does not answer, neither with their account nor by the link', async () => {
    const { owner, banned, link } = await withBanned()
    const before = (await owner.get(banned.invited)).body
    const scheduled_at = clock.in(7200)
    for (const reply of [
      await banned.post(`${banned.invited}/accept`, { note: 'Please' }),
      await banned.post(`${banned.invited}/reject`),
      await banned.post(`${banned.invited}/propose`, { scheduled_at }),
      await world.anyone.get(link),
      await world.anyone.post(`${link}/accept`),
      await world.anyone.post(`${link}/reject`),
      await world.anyone.post(`${link}/propose`, { scheduled_at }),
    ]) {
      expect([reply.status, reply.body.code]).toEqual([403, 'banned'])
    }
    expect((await owner.get(banned.invited)).body).toEqual(before)
  })

  it('is not told of its new time, nor of its end', async () => {
    const { owner, at, other } = await withBanned()
    await owner.patch(at(), { scheduled_at: clock.in(7200) })
    expect((await delivered()).map(({ to }) => to)).toEqual([other.user.email])
    await owner.post(at('/cancel'))
    expect((await delivered()).map(({ to }) => to)).toEqual([other.user.email])
  })
})
