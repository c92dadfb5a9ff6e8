import { beforeEach, describe, expect, it } from 'vitest'
import type { Transport } from '../../src/features/mail/transport.ts'
import { startSmtp } from '../support/smtp.ts'
import { createWorld } from '../support/world.ts'
import { emptyRoom, noteTo, openRoom } from './room.ts'

const world = await createWorld()
const { clock } = world
const notes = (count: number) => Array.from({ length: count }, (_, i) => noteTo(`person${i}@example.com`))

beforeEach(() => emptyRoom(world))

describe('a mail server that is down', () => {
  it('delays mails and loses none', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    await smtp.goDown()
    await room.post(...notes(12))
    expect(await room.sendDue()).toBe(0)
    await smtp.comeUp()
    clock.advance(10)
    expect(await room.sendDue()).toBe(12)
    expect(new Set(smtp.arrivals.flatMap(({ to }) => to)).size).toBe(12)
    expect(smtp.arrivals).toHaveLength(12)
  })

  it('is asked once, and not for each mail that waits', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    await smtp.goDown()
    await room.post(...notes(12))
    await room.sendDue()
    const tried = (await room.rows()).filter(({ attempts }) => attempts > 0)
    expect(tried).toMatchObject([{ attempts: 1, last_error: 'ECONNREFUSED', leased_until: null, failed_at: null }])
  })

  it('may come back behind connections that were open before', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    await room.post(...notes(10))
    await room.sendDue()
    await smtp.goDown()
    await smtp.comeUp()
    await room.post(noteTo('late@example.com'))
    await room.sendDue()
    clock.advance(10)
    await room.sendDue()
    expect(smtp.arrivals).toHaveLength(11)
  })

  it('is asked ever less often, and after three days no more', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    const attempts = async () => (await room.row('ada@example.com')).attempts
    await smtp.goDown()
    await room.post(noteTo('ada@example.com'))
    await room.sendDue()
    for (const [index, pause] of [10, 30, 60, 300, 900, 3600, 3600].entries()) {
      clock.advance(pause - 1)
      await room.sendDue()
      expect(await attempts()).toBe(index + 1)
      clock.advance(1)
      await room.sendDue()
      expect(await attempts()).toBe(index + 2)
    }
    expect((await room.row('ada@example.com')).failed_at).toBeNull()
    clock.advance(3 * 24 * 3600)
    await room.sendDue()
    expect(await room.row('ada@example.com')).toMatchObject({ failed_at: clock.now(), to_address: 'ada@example.com' })
    await smtp.comeUp()
    clock.advance(3600)
    await room.sendDue()
    expect(smtp.arrivals).toEqual([])
  })

  it('that does not let us in sets back one mail, and the log has neither password nor address', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url.replace('//', '//parley:hunter2@') })
    await room.post(...notes(3))
    await room.sendDue()
    expect((await room.rows()).map(({ attempts }) => attempts)).toEqual([1, 0, 0])
    expect(room.lines.join('')).toContain('EAUTH 535')
    expect(room.lines.join('')).not.toMatch(/hunter2|@example/)
  })
})

describe('a recipient that the server refuses', () => {
  it('for good is given up at once, and stops no other', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    smtp.refuse(550, 'person0@example.com')
    smtp.refuse(550, 'person3@example.com')
    await room.post(...notes(6))
    expect(await room.sendDue()).toBe(6)
    expect(smtp.arrivals).toHaveLength(4)
    expect(await room.row('person3@example.com')).toMatchObject({
      attempts: 1,
      failed_at: clock.now(),
      sent_at: null,
      last_error: 'EENVELOPE 550',
      to_address: 'person3@example.com',
    })
    smtp.relent()
    clock.advance(3600)
    expect(await room.sendDue()).toBe(0)
    expect(room.lines.filter(line => line.includes('mail given up') && line.includes('EENVELOPE 550'))).toHaveLength(2)
    expect(room.lines.join('')).not.toContain('@example')
  })

  it('for now is tried again later, and stops no other', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    smtp.refuse(451, 'person0@example.com')
    await room.post(...notes(3))
    await room.sendDue()
    expect(smtp.arrivals).toHaveLength(2)
    expect(await room.row('person0@example.com')).toMatchObject({ failed_at: null, last_error: 'EENVELOPE 451' })
    smtp.relent()
    clock.advance(10)
    await room.sendDue()
    expect(smtp.arrivals.at(-1)?.to).toEqual(['person0@example.com'])
  })

  it('and with it everybody else, is tried once at a time', async () => {
    const smtp = await startSmtp()
    const room = openRoom(world, { smtp_url: smtp.url })
    smtp.refuse(450)
    await room.post(...notes(8))
    expect(await room.sendDue()).toBe(8)
    expect(await room.sendDue()).toBe(0)
    expect(new Set((await room.rows()).map(({ attempts }) => attempts))).toEqual(new Set([1]))
  })
})

describe('a letter that cannot be composed', () => {
  it('is told of without its words, tried again, and stops no other', async () => {
    const smtp = await startSmtp()
    let broken = true
    const room = openRoom(world, {
      smtp_url: smtp.url,
      async compose({ to_address, facts }) {
        if (broken && to_address === 'person0@example.com') throw new TypeError(`cannot write to ${to_address}`)
        return { to: { name: null, address: to_address }, subject: 'A note', text: facts.words }
      },
    })
    await room.post(...notes(3))
    await room.sendDue()
    expect(smtp.arrivals).toHaveLength(2)
    expect(room.lines.join('')).toContain('TypeError')
    expect(room.lines.join('')).not.toContain('@example')
    broken = false
    clock.advance(10)
    await room.sendDue()
    expect(smtp.arrivals).toHaveLength(3)
  })
})

describe('several nodes', () => {
  it('send each of forty mails once, both at it at once', async () => {
    const smtp = await startSmtp()
    const rooms = [openRoom(world, { smtp_url: smtp.url }), openRoom(world, { smtp_url: smtp.url })]
    await rooms[0]?.post(...notes(40))
    const counts = await Promise.all(rooms.map(room => room.sendDue()))
    expect(counts.reduce((sum, count) => sum + count)).toBe(40)
    expect(smtp.arrivals).toHaveLength(40)
    expect(new Set(smtp.arrivals.map(({ letter }) => letter.messageId)).size).toBe(40)
  })

  it('wait two minutes for one that has died, then send its letter again under the same Message-ID', async () => {
    const smtp = await startSmtp()
    let sent = () => {}
    const hasSent = new Promise<void>(resolve => {
      sent = resolve
    })
    const diesAfterSending = (transport: Transport): Transport => ({
      ...transport,
      async send(...letter) {
        await transport.send(...letter)
        sent()
        return new Promise(() => {})
      },
    })
    const dying = openRoom(world, { smtp_url: smtp.url, around: diesAfterSending })
    const other = openRoom(world, { smtp_url: smtp.url })
    await dying.post(noteTo('ada@example.com'))
    dying.sendDue()
    await hasSent

    clock.advance(119)
    expect(await other.sendDue()).toBe(0)
    clock.advance(1)
    expect(await other.sendDue()).toBe(1)
    const [first, again] = smtp.arrivals.map(({ letter }) => letter.messageId)
    expect(first).toBeTruthy()
    expect(again).toBe(first)
    expect(await other.sendDue()).toBe(0)
  })

  it('that are told to stop begin no other mail, and leave the rest to the next', async () => {
    const smtp = await startSmtp()
    const stopping = openRoom(world, {
      smtp_url: smtp.url,
      async compose({ to_address, facts }) {
        stopping.mail.close()
        return { to: { name: null, address: to_address }, subject: 'A note', text: facts.words }
      },
    })
    await stopping.post(...notes(4))
    await stopping.sendDue()
    expect((await stopping.rows()).filter(({ attempts }) => attempts > 0)).toHaveLength(1)
    const next = openRoom(world, { smtp_url: smtp.url })
    clock.advance(10)
    await next.sendDue()
    expect(smtp.arrivals).toHaveLength(4)
  })
})
