import ICAL from 'ical.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Arrival, linkIn, startSmtp } from '../support/smtp.ts'
import { createWorld, PASSWORD, type Person } from '../support/world.ts'

const smtp = await startSmtp()
const world = await createWorld({ SMTP_URL: smtp.url, MAIL_FROM: 'Parley <parley@example.com>' })
const { clock } = world
const hours = (count: number) => clock.in(count * 3600)
const scheduled = () => world.make.meeting({ scheduled_at: hours(1), title: 'Tea' })
let addresses = 0
const someAddress = () => `guest${++addresses}@example.com`

beforeEach(() => {
  smtp.arrivals.length = 0
})

/** What the mail server has got since it was last asked. */
async function delivered(): Promise<ReturnType<typeof read>[]> {
  clock.advance(5)
  await world.app.mailSweeper.tick()
  return smtp.arrivals.splice(0).map(read)
}

/** A letter as calendars see it: both of its parts are the same event. */
function read({ to, raw, letter }: Arrival) {
  const [part, ...others] = letter.attachments.map(({ mimeType, content }) => {
    const text = typeof content === 'string' ? content : new TextDecoder().decode(content)
    return { mimeType, text }
  })
  expect([part, ...others].map(found => found?.mimeType)).toEqual(['text/calendar', 'application/ics'])
  expect(others[0]?.text).toBe(part?.text)
  const calendar = new ICAL.Component(ICAL.parse(part?.text ?? ''))
  const event = calendar.getFirstSubcomponent('vevent')
  const value = (name: string) => event?.getFirstPropertyValue(name)
  return {
    to: to.join(),
    method: calendar.getFirstPropertyValue('method'),
    uid: value('uid'),
    sequence: Number(value('sequence')),
    status: value('status'),
    start: String(value('dtstart')),
    organizer: value('organizer'),
    attendees: event?.getAllProperties('attendee').map(property => property.getFirstValue()),
    subject: letter.subject,
    text: letter.text ?? '',
    all: `${raw}${letter.text}${part?.text}`,
  }
}

/** Three who are invited by address: one says yes, one says no, one says nothing. */
async function three() {
  const held = await scheduled()
  const emails = [someAddress(), someAddress(), someAddress()]
  const reply = await held.owner.post(held.at('/invitations'), { invitees: emails.map(email => ({ email })) })
  expect(reply.status).toBe(201)
  const letters = await delivered()
  const [yes = '', no = '', open = ''] = emails
  await world.anyone.post(`${linkTo(yes, letters)}/accept`)
  await world.anyone.post(`${linkTo(no, letters)}/reject`)
  const ids = reply.body.data.map(({ id }: { id: string }) => `/api/invitations/${id}`)
  return { ...held, letters, emails, yes, no, open, ids }
}

const linkTo = (address: string, letters: { to: string; text: string }[]): string =>
  linkIn(letters.findLast(({ to }) => to === address)?.text) ?? ''

/** Whom it went to, as what, and of which sequence. */
const gist = (letters: { to: string; method: unknown; sequence: number }[]) =>
  letters.map(({ to, method, sequence }) => `${to} ${method} ${sequence}`).sort()

/** The same person, whose access token has expired meanwhile. */
async function again({ user }: Person): Promise<Person> {
  const { body } = await world.anyone.post('/api/auth/login', { email: user.email, password: PASSWORD })
  return world.make.caller(body)
}

const utc = (instant: string | null) => instant?.slice(0, 19)

describe('an invitation', () => {
  it('is one letter to each, which names nobody else', async () => {
    const { owner, meeting, letters, emails } = await three()
    expect(gist(letters)).toEqual(emails.map(email => `${email} REQUEST 0`))
    for (const { to, uid, attendees, organizer, status, start, subject, text, all } of letters) {
      expect(uid).toBe(letters[0]?.uid)
      expect(attendees).toEqual([`mailto:${to}`])
      expect(organizer).toBe('mailto:parley@example.com')
      expect(status).toBe('CONFIRMED')
      expect(start.replace('Z', '')).toBe(utc(meeting.scheduled_at))
      expect(subject).toBe('Invitation: Tea')
      expect(text).toContain(owner.user.name)
      for (const other of [owner.user.email, ...emails]) if (other !== to) expect(all).not.toContain(other)
    }
    expect(new Set(letters.map(({ text }) => linkIn(text))).size).toBe(3)
    expect(await delivered()).toEqual([])
  })

  it('has the same event as the calendar file of the meeting', async () => {
    const { owner, at, letters } = await three()
    const { text } = await owner.get(at('/calendar.ics'))
    const event = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent('vevent')
    expect(letters[0]?.uid).toBe(event?.getFirstPropertyValue('uid'))
  })

  it('by account goes to the address of the account', async () => {
    const held = await scheduled()
    const invitee = await world.make.invitee(held, { answer: 'none' })
    const letters = await delivered()
    expect(gist(letters)).toEqual([`${invitee.user.email} REQUEST 0`])
    const link = linkTo(invitee.user.email, letters)
    expect((await world.anyone.get(link)).body.id).toBe(invitee.invitation.id)
    expect((await world.anyone.post(`${link}/accept`)).body.invitation.status).toBe('accepted')
  })

  it('given twice is one letter', async () => {
    const { owner, at, emails } = await three()
    const invitees = emails.map(email => ({ email }))
    await Promise.all(Array.from({ length: 3 }, () => owner.post(at('/invitations'), { invitees })))
    expect(await delivered()).toEqual([])
  })

  it('brings the words of who invites', async () => {
    const { owner, at } = await scheduled()
    const message = 'Bring cake.\nAnd tea.'
    await owner.post(at('/invitations'), { invitees: [{ email: someAddress() }], message })
    const [letter] = await delivered()
    expect(letter?.text).toContain(message)
  })

  it('that is withdrawn before its letter is sent is not sent', async () => {
    const { owner, at } = await scheduled()
    const reply = await owner.post(at('/invitations'), { invitees: [{ email: someAddress() }] })
    await owner.delete(`/api/invitations/${reply.body.data[0].id}`)
    expect((await delivered()).filter(({ method }) => method === 'REQUEST')).toEqual([])
  })

  it('of a meeting that is deleted before its letter is sent is not sent', async () => {
    const { owner, at } = await scheduled()
    await owner.post(at('/invitations'), { invitees: [{ email: someAddress() }] })
    await owner.delete(at())
    expect((await delivered()).filter(({ method }) => method === 'REQUEST')).toEqual([])
  })
})

describe('another time', () => {
  it('is one letter to each who has not said no', async () => {
    const { owner, at, letters, yes, open, emails } = await three()
    const scheduled_at = hours(3)
    await owner.patch(at(), { scheduled_at })
    const moved = await delivered()
    expect(gist(moved)).toEqual([yes, open].map(email => `${email} REQUEST 1`))
    for (const { to, uid, start, attendees, all, subject } of moved) {
      expect(uid).toBe(letters[0]?.uid)
      expect(start.replace('Z', '')).toBe(utc(scheduled_at))
      expect(attendees).toEqual([`mailto:${to}`])
      expect(subject).toBe('New time: Tea')
      for (const other of [owner.user.email, ...emails]) if (other !== to) expect(all).not.toContain(other)
    }
    expect((await world.anyone.post(`${linkTo(yes, moved)}/accept`, { sequence: 1 })).status).toBe(200)
    expect(await delivered()).toEqual([])
  })

  it('by a proposal is one letter to each who has not said no', async () => {
    const { owner, ids, yes, open, letters } = await three()
    const scheduled_at = hours(5)
    await world.anyone.post(`${linkTo(open, letters)}/propose`, { scheduled_at })
    expect(await delivered()).toEqual([])
    expect((await owner.post(`${ids[2]}/proposal/accept`)).status).toBe(200)
    const moved = await delivered()
    expect(gist(moved)).toEqual([yes, open].map(email => `${email} REQUEST 1`))
    for (const { start } of moved) expect(start.replace('Z', '')).toBe(utc(scheduled_at))
    expect(await delivered()).toEqual([])
  })

  it('and then another is a letter for each of them', async () => {
    const { owner, at, yes, open } = await three()
    for (const count of [2, 3]) await owner.patch(at(), { scheduled_at: hours(count) })
    const all = gist(await delivered())
    expect(all).toEqual([yes, open].flatMap(email => [`${email} REQUEST 1`, `${email} REQUEST 2`]))
  })

  it('is told to who proposed it as something that they come to already', async () => {
    const { owner, ids, open, letters } = await three()
    await world.anyone.post(`${linkTo(open, letters)}/propose`, { scheduled_at: hours(5) })
    await owner.post(`${ids[2]}/proposal/accept`)
    const [letter] = (await delivered()).filter(({ to }) => to === open)
    expect(letter?.all.replace(/\r?\n /g, '')).toContain('PARTSTAT=ACCEPTED')
    expect(letter?.text).not.toContain('say again whether you come')
  })

  it('is none while just the title changes', async () => {
    const { owner, at } = await three()
    await owner.patch(at(), { title: 'Coffee' })
    expect(await delivered()).toEqual([])
  })
})

describe('the end of it', () => {
  it('by cancelling is one letter to each who has not said no', async () => {
    const { owner, at, letters, yes, open } = await three()
    await owner.post(at('/cancel'))
    await owner.post(at('/cancel'))
    const cancelled = await delivered()
    expect(gist(cancelled)).toEqual([yes, open].map(email => `${email} CANCEL 1`))
    for (const { to, uid, status, attendees, organizer, text } of cancelled) {
      expect(uid).toBe(letters[0]?.uid)
      expect(status).toBe('CANCELLED')
      expect(attendees).toEqual([`mailto:${to}`])
      expect(organizer).toBe('mailto:parley@example.com')
      expect(text).not.toContain('/invitation#')
    }
    await owner.delete(at())
    expect(await delivered()).toEqual([])
  })

  it('by withdrawing is one letter to that one', async () => {
    const { owner, ids, letters, yes } = await three()
    await owner.delete(ids[0])
    await owner.delete(ids[0])
    const [withdrawn, ...others] = await delivered()
    expect(others).toEqual([])
    expect(withdrawn).toMatchObject({ to: yes, method: 'CANCEL', status: 'CANCELLED', uid: letters[0]?.uid })
    expect(withdrawn?.attendees).toEqual([`mailto:${yes}`])
  })

  it('by withdrawing says nothing to who has said no', async () => {
    const { owner, ids } = await three()
    await owner.delete(ids[1])
    expect(await delivered()).toEqual([])
  })

  it('by deleting is one letter to each who has not said no, though nothing is left of the meeting', async () => {
    const { owner, at, letters, yes, open } = await three()
    await owner.patch(at(), { scheduled_at: hours(3) })
    await delivered()
    await owner.delete(at())
    const gone = await delivered()
    expect(gone.map(({ to, method }) => `${to} ${method}`).sort()).toEqual([yes, open].map(email => `${email} CANCEL`))
    for (const { to, uid, sequence, status, attendees } of gone) {
      expect(uid).toBe(letters[0]?.uid)
      expect(sequence).toBeGreaterThanOrEqual(1)
      expect(status).toBe('CANCELLED')
      expect(attendees).toEqual([`mailto:${to}`])
    }
    expect(await delivered()).toEqual([])
  })

  it('by deleting says nothing when the meeting was over', async () => {
    const { owner, at } = await three()
    await owner.post(at('/start'))
    await owner.post(at('/end'))
    await owner.delete(at())
    expect(await delivered()).toEqual([])
  })

  it('by deleting what lies ahead is one letter to each, of a later sequence than what they have', async () => {
    const { owner, at, yes, open } = await three()
    await owner.delete(at())
    expect(gist(await delivered())).toEqual([yes, open].map(email => `${email} CANCEL 1`))
    const moved = await three()
    await moved.owner.patch(moved.at(), { scheduled_at: hours(3) })
    await delivered()
    await moved.owner.delete(moved.at())
    expect(gist(await delivered())).toEqual([moved.yes, moved.open].map(email => `${email} CANCEL 2`))
  })

  it('by deleting says nothing when the meeting is past, though nobody has held it, or was cancelled', async () => {
    const [past, cancelled] = [await three(), await three()]
    await cancelled.owner.post(cancelled.at('/cancel'))
    await delivered()
    await cancelled.owner.delete(cancelled.at())
    expect(await delivered()).toEqual([])
    clock.advance(3 * 3600)
    const owner = await again(past.owner)
    expect((await owner.get(past.at())).body.status).toBe('scheduled')
    expect((await owner.delete(past.at())).status).toBe(204)
    expect(await delivered()).toEqual([])
  })

  it('by deleting a series is told while one of its times lies ahead', async () => {
    const { owner, at } = await world.make.meeting({ scheduled_at: hours(1), recurrence: 'FREQ=DAILY;COUNT=2' })
    const email = someAddress()
    await owner.post(at('/invitations'), { invitees: [{ email }] })
    await delivered()
    clock.advance(3 * 3600)
    await (await again(owner)).delete(at())
    expect(gist(await delivered())).toEqual([`${email} CANCEL 1`])
  })

  it('and a new beginning are a letter each, with another link', async () => {
    const { owner, at, ids, letters, yes } = await three()
    await owner.delete(ids[0])
    const [withdrawn] = await delivered()
    await owner.post(at('/invitations'), { invitees: [{ email: yes }] })
    const again = await delivered()
    expect(again.map(({ to, method }) => `${to} ${method}`)).toEqual([`${yes} REQUEST`])
    expect(again[0]?.sequence).toBeGreaterThanOrEqual(withdrawn?.sequence ?? 0)
    expect(linkTo(yes, again)).not.toBe(linkTo(yes, letters))
    expect((await world.anyone.get(linkTo(yes, again))).status).toBe(200)
  })

  it('is not told to who has been invited again before the letter could be sent', async () => {
    const { owner, at, ids, yes } = await three()
    smtp.refuse(451, yes)
    await owner.delete(ids[0])
    expect(await delivered()).toEqual([])
    smtp.relent()
    await owner.post(at('/invitations'), { invitees: [{ email: yes }] })
    const again = [...(await delivered()), ...(await delivered()), ...(await delivered())]
    expect(again.at(-1)).toMatchObject({ to: yes, method: 'REQUEST' })
  })
})

describe('a mail server that is down', () => {
  it('delays letters and loses none', async () => {
    const held = await scheduled()
    const emails = Array.from({ length: 8 }, someAddress)
    await smtp.goDown()
    await held.owner.post(held.at('/invitations'), { invitees: emails.map(email => ({ email })) })
    expect(await delivered()).toEqual([])
    await held.owner.patch(held.at(), { scheduled_at: hours(2) })
    expect(await delivered()).toEqual([])
    await smtp.comeUp()
    const letters = [...(await delivered()), ...(await delivered()), ...(await delivered()), ...(await delivered())]
    expect(gist(letters).filter(line => line.endsWith('REQUEST 1'))).toEqual(
      emails.map(email => `${email} REQUEST 1`).sort(),
    )
    expect(new Set(gist(letters)).size).toBe(letters.length)
    for (const email of emails) expect((await world.anyone.get(linkTo(email, letters))).status).toBe(200)
  })

  it('does not hold up who invites, and two nodes send each letter once', async () => {
    const { owner, at } = await scheduled()
    const other = await world.startNode()
    const emails = Array.from({ length: 30 }, someAddress)
    const reply = await owner.post(at('/invitations'), { invitees: emails.map(email => ({ email })) })
    expect(reply.status).toBe(201)
    clock.advance(5)
    await Promise.all([world.app.mailSweeper.tick(), other.app.mailSweeper.tick()])
    expect(gist(await delivered())).toEqual(emails.map(email => `${email} REQUEST 0`).sort())
  })
})
