import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Client } from '../support/client.ts'
import type { Held, Person, World } from '../support/world.ts'

/** What the tests of recordings do over and over. */

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes in so many parts. */
export function partsOf(count: number, size = 1000): { whole: Buffer; parts: Buffer[] } {
  const parts = Array.from({ length: count }, (_, i) => randomBytes(size + i))
  return { whole: Buffer.concat(parts), parts }
}

/** A live meeting with its owner inside, and perhaps somebody else. */
export async function liveMeeting(world: World, body: object = {}): Promise<Held & { guest: Person }> {
  const held = await world.make.meeting({ kind: 'standing', ...body })
  const guest = await world.make.invitee(held)
  for (const person of [held.owner, guest]) expect((await person.post(held.at('/join'))).status).toBe(201)
  return { ...held, guest }
}

export async function begin({ owner, at }: Pick<Held, 'owner' | 'at'>, body: object = {}): Promise<string> {
  const { status, body: recording } = await owner.post(at('/recordings'), body)
  expect(status, JSON.stringify(recording)).toBe(201)
  return recording.id
}

export const upload = (held: Held): Promise<string> =>
  begin(held, { source: 'upload', content_type: 'video/webm;codecs=vp8,opus' })

export const put = (by: Client, id: string, number: number, bytes: Buffer) =>
  by.put(`/api/recordings/${id}/chunks/${number}`, bytes, { 'Content-Type': 'application/octet-stream' })

/** A recording that is ready, with its bytes. */
export async function recorded(held: Held, whole = randomBytes(10_000)): Promise<{ id: string; whole: Buffer }> {
  const id = await begin(held, { source: 'upload' })
  expect((await put(held.owner, id, 0, whole)).status).toBe(204)
  const stopped = await held.owner.post(`/api/recordings/${id}/stop`)
  expect(stopped.body).toMatchObject({ status: 'ready', bytes: whole.length, sha256: sha256(whole) })
  return { id, whole }
}

/** As it comes, whatever its type. */
export async function fetchAs(world: World, by: Person | undefined, path: string, init: RequestInit = {}) {
  const Authorization = by ? `Bearer ${by.tokens.access_token}` : undefined
  const headers = { ...(Authorization ? { Authorization } : {}), ...(init.headers as object) }
  const reply = await fetch(path.startsWith('http') ? path : world.origin + path, { ...init, headers })
  return { status: reply.status, headers: reply.headers, bytes: Buffer.from(await reply.arrayBuffer()) }
}

interface Sending {
  agent?: Agent
  /** Without its length being said before. */
  unannounced?: boolean
}

/** A chunk by hand: it is on its way until it is told to end. */
export function sendChunk(world: World, by: Person, id: string, number: number, { agent, unannounced }: Sending = {}) {
  const headers = {
    Authorization: `Bearer ${by.tokens.access_token}`,
    ...(unannounced ? { 'Transfer-Encoding': 'chunked' } : {}),
  }
  const path = `${world.origin}/api/recordings/${id}/chunks/${number}`
  const call = request(path, {
    method: 'PUT',
    headers,
    signal: AbortSignal.timeout(10_000),
    ...(agent ? { agent } : {}),
  })
  const answered = new Promise<{ status: number | undefined; code: string | undefined; from_port: number | undefined }>(
    (resolve, reject) => {
      call.on('error', reject)
      call.on('response', async reply => {
        const from_port = reply.socket.localPort // it is one connection, if it is one port
        const text = Buffer.concat(await reply.toArray()).toString()
        const { code } = text === '' ? { code: undefined } : JSON.parse(text)
        resolve({ status: reply.statusCode, code, from_port })
      })
    },
  )
  return {
    answered,
    write: (bytes: Buffer) => call.write(bytes),
    end: (bytes?: Buffer) => call.end(bytes),
    /** The server has begun to write it. */
    arriving: () => expect.poll(() => filesOf(world, id).some(name => name.startsWith('part-'))).toBe(true),
  }
}

/** What is in the folder of a recording; nothing if there is none. */
export function filesOf(world: World, id: string): string[] {
  const folder = join(world.storage_dir, 'recordings', id)
  return existsSync(folder) ? readdirSync(folder) : []
}
