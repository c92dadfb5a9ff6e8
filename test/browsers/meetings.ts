import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import type { Account } from './accounts.ts'

/** Meetings as they have come to be before somebody opens a page of them. */

/** What must stay a text wherever it is shown. */
export const evil = '<img src=x onerror=alert(1)>'

const thisHour = Math.ceil(Date.now() / 3600_000)
export const inHours = (hours: number) => new Date((thisHour + hours) * 3600_000).toISOString()

/** Two inside; the one is its owner, and the other has accepted. */
async function inside(owner: Account, guest: Account, about: object): Promise<{ id: string; at: string }> {
  const { id } = await owner.call('POST', '/meetings', about)
  const at = `/meetings/${id}`
  const { data } = await owner.call('POST', `${at}/invitations`, { invitees: [{ email: guest.email }] })
  await guest.call('POST', `/invitations/${data[0].id}/accept`, {})
  await owner.call('POST', `${at}/join`, { device: 'A browser' })
  await guest.call('POST', `${at}/join`, {})
  return { id, at }
}

/** A meeting that was held: two were there, spoke, wrote, and were recorded. */
export async function held(owner: Account, guest: Account, title: string) {
  const { id, at } = await inside(owner, guest, { title, description: `About ${evil}` })
  const recording = await owner.call('POST', `${at}/recordings`, { source: 'mock' })
  await guest.call('POST', `${at}/messages`, { text: `I will send the agenda by Monday. ${evil}` })
  await owner.call('POST', `${at}/transcript`, {
    segments: [
      { start_ms: 1000, end_ms: 4000, text: 'We decided to move the launch to Friday. It is a great plan.' },
      { speaker: guest.name, start_ms: 5000, end_ms: 9000, text: 'I will book the room for the launch by Thursday.' },
      { start_ms: 10_000, end_ms: 12_000, text: `Please mind ${evil} as well.` },
    ],
  })
  await owner.call('POST', `/recordings/${recording.id}/stop`, {})
  await owner.call('POST', `${at}/notes`, {})
  await owner.call('POST', `${at}/end`)
  return { id, at, recording }
}

/** A meeting that was held and filmed; whoever was there may see it. */
export async function filmed(owner: Account, guest: Account): Promise<string> {
  const { id, at } = await inside(owner, guest, { title: 'Filmed' })
  const about = { source: 'upload', content_type: 'video/webm' }
  const recording = await owner.call('POST', `${at}/recordings`, about)
  const picture = ['-f', 'lavfi', '-i', 'testsrc=duration=3:size=160x120:rate=10']
  const film = execFileSync('ffmpeg', ['-v', 'error', ...picture, '-c:v', 'libvpx', '-f', 'webm', 'pipe:1'])
  await owner.put(`/recordings/${recording.id}/chunks/0`, film, 'video/webm')
  await owner.call('POST', `/recordings/${recording.id}/stop`, { chunks: 1 })
  const isReady = async () => (await owner.call('GET', `/recordings/${recording.id}`)).status
  await expect.poll(isReady).toBe('ready')
  await owner.call('PATCH', `/recordings/${recording.id}`, { visibility: 'participants' })
  await owner.call('POST', `${at}/end`, {})
  return id
}

/** A meeting that is planned, to which two propose other times. */
export async function proposed(owner: Account, invitees: Account[]) {
  const meeting = await owner.call('POST', '/meetings', { title: `Plan ${evil}`, scheduled_at: inHours(26) })
  const { data } = await owner.call('POST', `/meetings/${meeting.id}/invitations`, {
    invitees: invitees.map(({ email }) => ({ email })),
    message: 'Let us talk about the summer.',
  })
  for (const [i, invitee] of invitees.entries()) {
    const { id } = data.find(({ email }: { email: string }) => email === invitee.email)
    const note = `The morning is better. ${evil}`
    await invitee.call('POST', `/invitations/${id}/propose`, {
      scheduled_at: inHours(28 + i),
      duration_minutes: 45,
      note,
    })
  }
  return { id: meeting.id }
}
