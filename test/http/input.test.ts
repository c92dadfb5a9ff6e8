import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sendRaw } from '../support/raw.ts'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const register = '/api/auth/register'
const person = { email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' }

/** Posts a body that no client would make, with the headers of one. */
const post = (body: string | Buffer, headers: { [name: string]: string } = {}) => {
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return sendRaw(world.origin, `POST ${register} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`, body)
}

describe('a body', () => {
  it.each<[string, string | Buffer, number]>([
    ['cut off', '{"email": "ada@', 400],
    ['of plain text', 'hello', 400],
    ['that is not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
    ['of two values', '{} {}', 400],
    ['that is null', 'null', 422],
    ['that is a list', '[]', 422],
    ['that is a number', '1e999', 422],
    ['with an unknown member', JSON.stringify({ ...person, admin: true }), 422],
    ['with a NUL in a text', JSON.stringify({ ...person, name: 'A\0da' }), 422],
    ['with a lone surrogate', '{"name": "\\ud800"}', 422],
    ['with a lone surrogate as a name', '{"\\udfff": 1}', 422],
    ['with __proto__', '{"__proto__": {"admin": true}}', 422],
    ['with a list where a text belongs', JSON.stringify({ ...person, email: ['a@example.com'] }), 422],
    ['of 20 000 lists in each other', '['.repeat(20_000) + ']'.repeat(20_000), 422],
    ['of 20 000 objects in each other', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, 422],
    ['of forty thousand members', JSON.stringify(Array.from({ length: 40_000 }, () => 0)), 422],
    ['with a password of 129 characters', JSON.stringify({ ...person, password: 'x'.repeat(129) }), 422],
    ['of more bytes than the route takes', JSON.stringify({ ...person, name: 'x'.repeat(200_000) }), 413],
  ])('%s is refused', async (_, body, status) => {
    const reply = await post(body)
    expect(reply.status).toBe(status)
    expect(reply.text).toContain('application/problem+json')
    expect(reply.text).not.toMatch(/node_modules|at \w+ \(|select |insert /i)
  })

  it('is refused before it is sent, when its length says that it is too much', async () => {
    expect((await post('{', { 'Content-Length': '999999999' })).status).toBe(413)
  })

  it('that grows without end is cut off at the limit', async () => {
    const head = `POST ${register} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    expect((await sendRaw(world.origin, head, chunk, chunk, chunk)).status).toBe(413)
  })

  it('that is a bomb of gzip is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))
    expect((await post(bomb, { 'Content-Encoding': 'gzip' })).status).toBe(415)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    '',
  ])('of type %s is refused', async type => {
    expect((await post(JSON.stringify(person), { 'Content-Type': type })).status).toBe(415)
  })

  it('may be absent where nothing in it is required, and must be empty where none is taken', async () => {
    const me = await world.make.user()
    expect((await me.post('/api/auth/logout')).status).toBe(204)
    const reply = await world.anyone.post(register)
    expect(reply.status).toBe(422)
    expect(reply.body.errors.map(({ path }: { path: string }) => path)).toEqual(['email', 'name', 'password'])
  })
})

describe('an address', () => {
  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/api/nothing', 404],
    ['GET', '/api/auth/me/', 404],
    ['GET', '/API/auth/me', 404],
    ['GET', '//evil.example/api', 404],
    ['GET', '/api/auth/..%2fme', 404],
    ['DELETE', '/api/auth/me', 405],
    ['TRACE', '/health/live', 405],
    ['GET', '/health/live?verbose=1', 422],
    ['GET', '/health/live?%00=1', 422],
    ['GET', '/health/live?a=%E0%A4%A', 422],
  ])('%s %s answers %i', async (method, path, status) => {
    const reply = await sendRaw(world.origin, `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(reply.status).toBe(status)
    expect(reply.text).toContain('application/problem+json')
  })

  it('that answers other methods names them', async () => {
    const reply = await world.anyone.put('/api/auth/me', {})
    expect(reply.status).toBe(405)
    expect(reply.headers.allow?.split(', ').sort()).toEqual(['GET', 'HEAD', 'OPTIONS', 'PATCH'])
    expect((await world.anyone.call('OPTIONS', '/api/auth/me')).headers.allow).toBe(reply.headers.allow)
  })

  it('answers HEAD as GET, without the body', async () => {
    const reply = await world.anyone.call('HEAD', '/health/live')
    expect(reply.status).toBe(200)
    expect(reply.text).toBeFalsy()
  })

  it.each([
    ['NUL', '%00'],
    ['broken UTF-8', '%E0%A4%A'],
    ['five thousand letters', 'x'.repeat(5000)],
    ['an emoji', '%F0%9F%92%A9'],
    ['SQL', "'%20or%201=1--"],
  ])('with %s for an id finds nothing', async (_, id) => {
    const me = await world.make.user()
    const reply = await sendRaw(
      world.origin,
      `DELETE /api/auth/logins/${id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${me.tokens.access_token}\r\n\r\n`,
    )
    expect([404, 422]).toContain(reply.status)
  })
})

describe('what is no HTTP', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['an unknown method', 'BREW /health/live HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a header without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
    ['an address that is no URL', 'GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['another address that is no URL', 'GET //a@[# HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ])('%s is answered as a problem', async (_, text, status) => {
    const reply = await sendRaw(world.origin, text)
    expect(reply.status).toBe(status)
    expect(reply.text).toContain('application/problem+json')
  })
})

describe('what is HTTP, if unusual,', () => {
  it.each([
    ['an absolute address', 'GET http://x/health/live HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['HTTP/1.0 without a host', 'GET /health/live HTTP/1.0\r\n\r\n'],
    ['an unknown expectation', 'GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n'],
  ])('is answered: %s', async (_, text) => {
    expect((await sendRaw(world.origin, text)).status).toBe(200)
  })

  it('is read to its last header, however many there are', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `X-${i}: y\r\n`).join('')
    const behind = `GET /metrics HTTP/1.1\r\nHost: x\r\n${many}X-Forwarded-For: 203.0.113.1\r\n\r\n`
    expect((await sendRaw(world.origin, behind)).status).toBe(401)
  })

  it('tells who sends too much so, also while they are still sending', async () => {
    const body = JSON.stringify({ ...person, name: 'x'.repeat(5_000_000) })
    for (let i = 0; i < 5; i++) {
      const reply = await fetch(`${world.origin}${register}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      })
      expect(reply.status).toBe(413)
    }
  })
})
