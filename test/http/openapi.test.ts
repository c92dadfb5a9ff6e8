import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

const world = await createWorld()
const { body: document, text } = await world.anyone.get('/openapi.json')

type Json = { [key: string]: unknown }
const operations = Object.entries<{ [method: string]: Json }>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, and Redocly finds nothing wrong with it', async () => {
    expect(document.openapi).toBe('3.1.0')
    const config = await createConfig({ extends: ['recommended'] })
    const found = await lintFromString({ source: text, config, absoluteRef: 'openapi.json' })
    const said = found
      .filter(({ ruleId }) => ruleId !== 'no-ambiguous-paths') // `link` stands where an id does, and no id is that word
      .filter(({ message, location: [at] }) => !(message.includes('2XX') && at?.pointer?.includes('~1rtc~1ws'))) // 101
      .map(({ severity, message, location }) => `${severity}: ${message} at ${location[0]?.pointer}`)
    expect(said).toEqual([])
  })

  it('has every route, and each operation an id of its own', () => {
    const declared = world.app.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(operations.map(({ name }) => name).sort()).toEqual(declared.sort())
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(operations)('refuses what it does not name: $name', ({ operation }) => {
    for (const schema of objectsIn(operation.requestBody ?? {})) expect(schema.additionalProperties).toBe(false)
  })
})

/** Every schema of an object, however deep. */
function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(objectsIn)
  return 'properties' in value && typeof value.properties === 'object' ? [value as Json, ...inner] : inner
}

describe('the page of docs', () => {
  it('shows every operation and problem, and asks nobody else for anything', async () => {
    const page = await world.anyone.get('/docs')
    expect(page.status).toBe(200)
    for (const { operation } of operations) expect(page.text).toContain(`id="${operation.operationId}"`)
    const codes = new Set([...text.matchAll(/`(\w+)`: /g)].map(([, code]) => code))
    expect(codes).toContain('email_taken')
    for (const code of [...codes, 'route_not_found', 'method_not_allowed', 'unreadable_request', 'internal']) {
      expect(page.text).toContain(`id="${code}"`)
    }
    expect(page.text).not.toMatch(/<script|<link|<img|@import|url\(/)
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'/)
  })
})
