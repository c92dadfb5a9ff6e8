import { expect } from 'vitest'
import { PASSWORD } from '../support/world.ts'

/** As far as it is looked at here. */
interface Body {
  id: string
  access_token: string
  duration_s: number
  seekable_bytes: number
}

/** Somebody who holds a meeting on a server that is a process of its own, and records it. */
export async function holdMeeting(origin: string) {
  let token = ''
  async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Body }> {
    const reply = await fetch(origin + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: reply.status, body: (await reply.json()) as Body }
  }
  const account = { email: `host-${Date.now()}@example.com`, name: 'Host', password: PASSWORD }
  const registered = await call('POST', '/api/auth/register', account)
  expect(registered.status, JSON.stringify(registered.body)).toBe(201)
  token = registered.body.access_token
  const { id: meeting } = (await call('POST', '/api/meetings', { title: 'Recorded' })).body
  expect((await call('POST', `/api/meetings/${meeting}/join`, {})).status).toBe(201)
  const started = await call('POST', `/api/meetings/${meeting}/recordings`, { source: 'upload' })
  expect(started.status, JSON.stringify(started.body)).toBe(201)
  const recording = started.body.id
  const authorization = { Authorization: `Bearer ${token}` }

  return {
    call,
    recording,
    authorization,
    put: async (number: number, bytes: Buffer): Promise<number> => {
      const path = `${origin}/api/recordings/${recording}/chunks/${number}`
      const headers = { ...authorization, 'Content-Type': 'application/octet-stream' }
      return (await fetch(path, { method: 'PUT', headers, body: bytes })).status
    },
    stop: (chunks: number) => call('POST', `/api/recordings/${recording}/stop`, { chunks }),
    download: () => fetch(`${origin}/api/recordings/${recording}/download`, { headers: authorization }),
  }
}
