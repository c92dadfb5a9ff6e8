import { once } from 'node:events'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { expect, it } from 'vitest'
import { openDatabase } from '../../src/db/open.ts'
import { whenDone } from '../support/cleanup.ts'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'
import { linkIn } from '../support/smtp.ts'

/** A mail server that takes calls and says nothing, until it is told to speak. */
async function silentSmtp() {
  let speaks = false
  let [called, arrived] = [() => {}, (_: Email) => {}]
  const aCall = new Promise<void>(resolve => {
    called = resolve
  })
  const aLetter = new Promise<Email>(resolve => {
    arrived = resolve
  })
  const letters: Email[] = []
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect(_session, greet) {
      called()
      if (speaks) greet()
    },
    async onData(stream, _session, done) {
      const letter = await PostalMime.parse(Buffer.concat(await stream.toArray()))
      letters.push(letter)
      arrived(letter)
      done()
    },
  })
  server.on('error', () => {}) // the client that is killed
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  whenDone(() => new Promise<void>(resolve => server.close(resolve)))
  const address = listening.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const speak = () => {
    speaks = true
  }
  return { url: `smtp://127.0.0.1:${port}`, letters, aCall, aLetter, speak }
}

it('a process killed between an invitation and its letter leaves exactly one letter to the next', async () => {
  const { url: DATABASE_URL, settings, drop } = await emptyDatabase()
  whenDone(drop)
  const smtp = await silentSmtp()
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const folder = emptyFolder()
  const env = { DATABASE_URL, PORT: String(port), SMTP_URL: smtp.url, DEMO: 'off' }

  const first = startServer(folder, env)
  await first.prints('is listening')
  let authorization = ''
  const post = async (path: string, body: object) => {
    const headers = { 'Content-Type': 'application/json', ...(authorization && { Authorization: authorization }) }
    const reply = await fetch(`${origin}/api${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(reply.status).toBe(201)
    const answer: { id: string; access_token: string } = JSON.parse(await reply.text())
    return answer
  }
  const owner = { email: 'owner@example.com', name: 'Owner', password: 'correct horse battery' }
  authorization = `Bearer ${(await post('/auth/register', owner)).access_token}`
  const scheduled_at = new Date(Date.now() + 3600_000).toISOString()
  const { id } = await post('/meetings', { title: 'Tea', scheduled_at })
  const invite = (email: string) => post(`/meetings/${id}/invitations`, { invitees: [{ email }] })

  // The server is busy with one letter that is not taken, and does not begin another.
  await invite('before@example.com')
  await smtp.aCall
  await invite('ada@example.com')
  first.child.kill('SIGKILL')
  await first.ended

  smtp.speak()
  const second = startServer(folder, env)
  const letter = await smtp.aLetter
  expect(letter.to).toMatchObject([{ address: 'ada@example.com' }])
  const invitation = await fetch(`${origin}${linkIn(letter.text)}`)
  expect(await invitation.json()).toMatchObject({ email: 'ada@example.com', status: 'pending' })
  second.child.kill('SIGTERM')
  expect(await second.ended).toEqual({ code: 0, signal: null })

  const { db, close } = await openDatabase(settings)
  const waiting = await db('mails').whereNull('sent_at').pluck('to_address')
  const lost = await db('mails').whereNotNull('failed_at')
  await close()
  // The one that was under way waits until its lease is over.
  expect({ waiting, lost }).toEqual({ waiting: ['before@example.com'], lost: [] })
  expect(smtp.letters).toHaveLength(1)
}, 60_000)
