import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Letter } from '../../src/features/mail/letter.ts'
import { startSmtp } from '../support/smtp.ts'
import { createWorld } from '../support/world.ts'
import { emptyRoom, noteTo, openRoom } from './room.ts'

const world = await createWorld()
const ada = { name: 'Ada Lovelace', address: 'ada@example.com' }
const plain: Letter = { to: ada, subject: 'A note', text: 'See you at nine' }
const event = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Zoë\r\nEND:VCALENDAR\r\n'

beforeEach(() => emptyRoom(world))

/** What comes out at the other end of a mail server. */
async function send(letter: Letter) {
  const smtp = await startSmtp()
  const room = openRoom(world, { smtp_url: smtp.url, compose: async () => letter })
  await room.post(noteTo('ada@example.com', 'the letter'))
  await room.sendDue()
  return { arrival: smtp.arrivals[0], row: await room.row('the letter') }
}

const headOf = (raw = ''): string => raw.slice(0, raw.indexOf('\r\n\r\n'))

describe('a letter', () => {
  it('says who it is from, for whom, and that a machine has written it', async () => {
    const { arrival, row } = await send({ ...plain, subject: 'Grüße', html: '<p>See you at <b>nine</b></p>' })
    expect(arrival?.to).toEqual(['ada@example.com'])
    expect(arrival?.letter).toMatchObject({
      from: { name: 'Parley', address: 'parley@example.com' },
      to: [ada],
      subject: 'Grüße',
      messageId: `<${row.id}@example.com>`,
    })
    expect(arrival?.letter.text?.trim()).toBe('See you at nine')
    expect(arrival?.letter.html?.trim()).toBe('<p>See you at <b>nine</b></p>')
    expect(headOf(arrival?.raw)).toContain('Auto-Submitted: auto-generated')
    expect(Date.parse(arrival?.letter.date ?? '')).toBe(Math.floor(Date.parse(row.created_at) / 1000) * 1000)
  })

  it.each(['REQUEST', 'CANCEL'] as const)('has its calendar, %s, as a part to answer and as a file', async method => {
    const { arrival } = await send({ ...plain, html: '<p>nine</p>', calendar: { method, content: event } })
    const parts = [...(arrival?.raw ?? '').matchAll(/^Content-Type: ([^;\r\n]+)([^\r\n]*)/gm)].map(([, type]) => type)
    expect(parts).toEqual([
      'multipart/mixed',
      'multipart/alternative',
      'text/plain',
      'text/html',
      'text/calendar',
      'application/ics',
    ])
    expect(arrival?.raw).toMatch(new RegExp(`^Content-Type: text/calendar; charset=utf-8; method=${method}\r$`, 'im'))
    const [part, file] = arrival?.letter.attachments ?? []
    expect(part).toMatchObject({ mimeType: 'text/calendar', method })
    expect(file).toMatchObject({ mimeType: 'application/ics', filename: 'invite.ics', disposition: 'attachment' })
    for (const found of [part, file]) {
      expect(new TextDecoder().decode(found?.content as ArrayBuffer).replace(/\r?\n/g, '\r\n')).toBe(event)
    }
  })

  it('gets no header from a name or a subject', async () => {
    const sly = 'x\r\nBcc: eve@example.com\nX-Evil: yes\r\n\r\nAnother body'
    const { arrival } = await send({ ...plain, to: { ...ada, name: sly }, subject: sly })
    const flat = 'x Bcc: eve@example.com X-Evil: yes Another body'
    expect(arrival?.to).toEqual(['ada@example.com'])
    expect(arrival?.letter).toMatchObject({ subject: flat, to: [{ name: flat, address: 'ada@example.com' }] })
    expect(headOf(arrival?.raw)).not.toMatch(/^(bcc|x-evil|another)/im)
    expect(headOf(arrival?.raw)).not.toMatch(/=0[AD]/i)
    expect(arrival?.letter.text?.trim()).toBe('See you at nine')
  })

  it('gets no second recipient from a name', async () => {
    const { arrival } = await send({ ...plain, to: { ...ada, name: 'Ada" <eve@example.com>, "' } })
    expect(arrival?.to).toEqual(['ada@example.com'])
    expect(arrival?.letter.to).toEqual([{ name: 'Ada" <eve@example.com>, "', address: 'ada@example.com' }])
  })

  it.each([
    '',
    'ada',
    'ada@example.com, eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com> RCPT TO:<eve@example.com',
    'Ada <ada@example.com>',
    '"ada eve"@example.com',
  ])('goes nowhere when its address is %j', async address => {
    const { arrival, row } = await send({ ...plain, to: { name: null, address } })
    expect(arrival).toBeUndefined()
    expect(row).toMatchObject({ failed_at: world.clock.now(), last_error: 'address' })
  })
})

describe('without a mail server', () => {
  it('letters are files that only their owner can read, and the log has just their names', async () => {
    const room = openRoom(world, {
      compose: async () => ({ ...plain, calendar: { method: 'REQUEST', content: event } }),
    })
    await room.post(noteTo('ada@example.com'))
    await room.sendDue()
    const { id, sent_at } = await room.row('ada@example.com')
    const folder = join(world.storage_dir, 'outbox')
    expect(readdirSync(folder)).toEqual([`${id}.eml`])
    const file = join(folder, `${id}.eml`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(sent_at).toBe(world.clock.now())

    const letter = await PostalMime.parse(readFileSync(file))
    expect(letter).toMatchObject({ to: [ada], subject: 'A note', messageId: `<${id}@example.com>` })
    expect(letter.attachments.map(({ mimeType }) => mimeType)).toEqual(['text/calendar', 'application/ics'])
    expect(room.lines.join('')).toContain(`${id}.eml`)
    expect(room.lines.join('')).not.toContain('@example')
  })

  it('and without a folder to write to, they wait', async () => {
    const nowhere = { ...world, storage_dir: join(import.meta.dirname, 'letters.test.ts') } // a file, and no folder
    const room = openRoom(nowhere, {})
    await room.post(noteTo('ada@example.com'))
    expect(await room.sendDue()).toBe(0)
    expect(await room.row('ada@example.com')).toMatchObject({ attempts: 1, failed_at: null, last_error: 'ENOTDIR' })
  })
})
