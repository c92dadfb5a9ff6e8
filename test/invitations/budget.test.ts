import { describe, expect, it } from 'vitest'
import { createWorld, PASSWORD } from '../support/world.ts'

// A hundredth of all that is allowed: thirty letters in an hour.
const world = await createWorld({ RATE_LIMITS: '0.01' })
const { clock, db, make, anyone } = world
const addresses = (count: number) => Array.from({ length: count }, (_, i) => ({ email: `guest${i}@example.com` }))
const letters = async () => (await db('mails')).length

describe('the letters of one person in an hour', () => {
  it('are counted, each of them: a meeting whose change would be too many does not move', async () => {
    const { owner, meeting, at } = await make.meeting({ scheduled_at: clock.in(24 * 3600) })
    expect((await owner.post(at('/invitations'), { invitees: addresses(20) })).status).toBe(201)
    expect(await letters()).toBe(20)

    const scheduled_at = clock.in(25 * 3600)
    const refused = await owner.patch(at(), { scheduled_at })
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited'])
    expect(Number(refused.headers['retry-after'])).toBe(10 * 120)
    expect((await owner.get(at())).body).toEqual(meeting)
    const invited = (await owner.get(at('/invitations?limit=100'))).body.data
    expect(invited.every(({ sequence }: { sequence: number }) => sequence === 0)).toBe(true)
    expect(await letters()).toBe(20)

    const other = await make.meeting({ scheduled_at: clock.in(24 * 3600) })
    expect((await other.owner.post(other.at('/invitations'), { invitees: addresses(20) })).status).toBe(201)

    clock.advance(Number(refused.headers['retry-after']))
    const { body } = await anyone.post('/api/auth/login', { email: owner.user.email, password: PASSWORD })
    expect((await make.caller(body).patch(at(), { scheduled_at })).body).toMatchObject({ scheduled_at, sequence: 1 })
    expect(await letters()).toBe(60)
  })

  it('keep nobody from calling a meeting off, and a meeting that is more than all of them may still move', async () => {
    const { owner, at } = await make.meeting({ scheduled_at: clock.in(24 * 3600) })
    await owner.post(at('/invitations'), { invitees: addresses(50) })
    expect((await owner.patch(at(), { scheduled_at: clock.in(25 * 3600) })).status).toBe(429)
    expect((await owner.post(at('/cancel'))).body.status).toBe('cancelled')

    const large = await make.meeting({ scheduled_at: clock.in(24 * 3600) })
    await large.owner.post(large.at('/invitations'), { invitees: addresses(50) })
    clock.advance(3600)
    const { body } = await anyone.post('/api/auth/login', { email: large.owner.user.email, password: PASSWORD })
    expect((await make.caller(body).patch(large.at(), { scheduled_at: clock.in(25 * 3600) })).status).toBe(200)
  })
})
