import { expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const get = (path: string, headers: { [name: string]: string } = {}) => fetch(world.origin + path, { headers })

it('the client is a module that pages of any origin may import, and is not sent twice', async () => {
  const reply = await get('/web/parley.js')
  expect(reply.status).toBe(200)
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
  })
  const imported = [...(await reply.text()).matchAll(/from '\.\/(\S+)'/g)].map(([, name]) => name)
  expect(imported.length).toBeGreaterThan(0)
  for (const name of imported) expect((await get(`/web/${name}`)).status, name).toBe(200)
  const again = await get('/web/parley.js', { 'If-None-Match': reply.headers.get('etag') ?? '' })
  expect(again.status).toBe(304)
})

it('the page runs what this server sends, calls nobody else, and stands in nobody’s frame', async () => {
  const reply = await get('/')
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const policy = reply.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  const text = await reply.text()
  expect(text).not.toMatch(/<script>|\sstyle=|\son\w+=/)
  for (const [, path = ''] of text.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g))
    expect((await get(path)).status, path).toBe(200)
})

it('nothing else of the disk is reached by a name', async () => {
  for (const path of [
    '/web/',
    '/web/tsconfig.json',
    '/web/../package.json',
    '/web/%2e%2e/package.json',
    '/web/client',
  ]) {
    expect((await get(path)).status, path).toBe(404)
  }
  expect((await fetch(`${world.origin}/web/parley.js`, { method: 'POST' })).status).toBe(404)
})
