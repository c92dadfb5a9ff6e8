import { once } from 'node:events'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { whenDone } from './cleanup.ts'

/** One letter as it came in. */
export interface Arrival {
  to: string[]
  /** As text, for what a parser would tidy up. */
  raw: string
  letter: Email
}

/** By which an invitation is answered, given the letter: the page that its link leads to asks there. */
export function linkIn(text = ''): string | undefined {
  const [, token] = /http:\/\/\S+\/invitation#([\w-]{22})(?=\s|$)/.exec(text) ?? []
  return token && `/api/invitations/link/${token}`
}

/** A mail server that keeps what it gets, and can be told to refuse it or to be away. It has no logins: each is wrong. */
export async function startSmtp() {
  const arrivals: Arrival[] = []
  const refusals = new Map<string, number>()
  let everything: number | undefined
  let server: SMTPServer | undefined
  let port = 0

  function listen(): Promise<unknown> {
    server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      hideSTARTTLS: true,
      disableReverseLookup: true,
      closeTimeout: 1,
      onAuth: (_auth, _session, done) => done(refusal(535, 'Wrong password')),
      onRcptTo({ address }, _session, done) {
        const code = refusals.get(address) ?? everything
        if (code) done(refusal(code, `<${address}> is not wanted`))
        else done()
      },
      onData(stream, session, done) {
        const chunks: Buffer[] = []
        stream.on('data', chunk => chunks.push(chunk))
        stream.on('end', async () => {
          const raw = Buffer.concat(chunks)
          const letter = await PostalMime.parse(raw)
          arrivals.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw: raw.toString(), letter })
          done()
        })
      },
    })
    server.on('error', () => {}) // a client that hangs up; what matters of it is seen by the client
    const listening = server.listen(port, '127.0.0.1')
    return once(listening, 'listening')
  }

  async function goDown(): Promise<void> {
    const going = server
    server = undefined
    if (going) await new Promise<void>(done => going.close(done))
  }

  await listen()
  const address = server?.server.address()
  port = typeof address === 'object' && address ? address.port : 0
  whenDone(goDown)

  return {
    url: `smtp://127.0.0.1:${port}`,
    arrivals,
    /** Takes nothing for that address any more, or nothing for anybody. */
    refuse(code: number, address?: string): void {
      if (address) refusals.set(address, code)
      else everything = code
    },
    relent(): void {
      refusals.clear()
      everything = undefined
    },
    goDown,
    comeUp: listen,
  }
}

const refusal = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode })
