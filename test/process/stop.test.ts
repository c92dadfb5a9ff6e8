import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'

it('on SIGTERM answers what is running, takes nothing new, and exits with 0', async () => {
  const { url, drop } = await emptyDatabase()
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const server = startServer(emptyFolder(), { DATABASE_URL: url, PORT: String(port) })
  await server.prints('is listening')
  const idle = connect(port, '127.0.0.1')
  const idleClosed = new Promise(resolve => idle.on('close', resolve))

  const logIn = () =>
    fetch(`${origin}/api/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'owner@parley.example', password: 'parley-demo' }),
    })
  const logins = Array.from({ length: 10 }, logIn) // the hashes of which are made two at a time
  await Promise.race(logins)
  server.child.kill('SIGTERM')

  expect((await Promise.all(logins)).map(({ status }) => status)).toEqual(Array(10).fill(200))
  await expect(fetch(`${origin}/health/live`)).rejects.toThrow()
  expect(await server.ended).toEqual({ code: 0, signal: null })
  await idleClosed
  await drop()
})
