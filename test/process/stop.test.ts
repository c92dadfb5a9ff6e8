import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { whenDone } from '../support/cleanup.ts'
import { emptyDatabase } from '../support/database.ts'
import { emptyFolder, freePort, startServer } from '../support/process.ts'

async function listening() {
  const { url, drop } = await emptyDatabase()
  whenDone(drop)
  const port = await freePort()
  const server = startServer(emptyFolder(), { DATABASE_URL: url, PORT: String(port) })
  await server.prints('is listening')
  return { server, port }
}

const body = JSON.stringify({ email: 'owner@parley.example', password: 'parley-demo' })
const head = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`

it('on SIGTERM finishes what is running, takes nothing new, and exits with 0', async () => {
  const { server, port } = await listening()
  const idle = connect(port, '127.0.0.1').resume()
  const running = connect(port, '127.0.0.1')
  running.write(head + body.slice(0, 10))
  let answer = ''
  running.setEncoding('utf8').on('data', chunk => {
    answer += chunk
  })
  // An answer on another connection: by then the server has seen what was sent on these.
  await fetch(`http://127.0.0.1:${port}/health/live`, { headers: { Connection: 'close' } })

  server.child.kill('SIGTERM')
  await once(idle, 'close') // at once: it has nothing to finish
  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow()
  expect(server.child.exitCode).toBe(null)
  running.write(body.slice(10))
  await once(running, 'close')
  expect(answer).toContain('HTTP/1.1 200 OK')
  expect(answer).toContain('Connection: close')
  expect(await server.ended).toEqual({ code: 0, signal: null })
})

it('on SIGTERM waits for nobody longer than five seconds', async () => {
  const { server, port } = await listening()
  const stalled = connect(port, '127.0.0.1')
  stalled.on('error', () => {}) // it is cut off: that is the point
  stalled.write(head + body.slice(0, 10))
  await fetch(`http://127.0.0.1:${port}/health/live`, { headers: { Connection: 'close' } })
  server.child.kill('SIGTERM')
  const ended = await Promise.race([server.ended, pause(5_500, 'still running')])
  expect(ended).toEqual({ code: 0, signal: null })
})
