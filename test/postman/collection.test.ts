import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { collectionOf, environmentOf, fileOf } from '../../postman/collection.ts'
import { environment, story } from '../../postman/story.ts'
import { createWorld, PASSWORD } from '../support/world.ts'

const read = (name: string) => readFileSync(new URL(`../../postman/parley.${name}.json`, import.meta.url), 'utf8')
const files = { collection: read('postman_collection'), environment: read('postman_environment') }

const world = await createWorld()
const document = world.app.document()
// An app hashes a decoy when it is composed, and a thread that ends meanwhile takes the whole run with it: wait for it.
await world.anyone.post('/api/auth/login', { email: 'nobody@example.com', password: PASSWORD })

/** What a request of the collection looks like to Postman; read off the file, not off what it was made of. */
const Pair = z.object({ key: z.string(), value: z.string() })
const Item = z.object({
  name: z.string(),
  event: z.array(z.object({ listen: z.string(), script: z.object({ exec: z.array(z.string()) }) })),
  request: z.object({
    method: z.string(),
    description: z.string(),
    auth: z.looseObject({ type: z.enum(['bearer', 'noauth']) }),
    header: z.array(Pair),
    body: z.object({ mode: z.literal('raw'), raw: z.string() }).optional(),
    url: z.object({
      raw: z.string(),
      path: z.array(z.string()),
      query: z.array(Pair).default([]),
      variable: z.array(Pair).default([]),
    }),
  }),
})
type Item = z.infer<typeof Item>
const Collection = z.object({
  item: z.array(z.object({ name: z.string(), item: z.array(Item) })),
  variable: z.array(Pair),
})
const Environment = z.object({ values: z.array(Pair) })

const Operation = z.object({
  summary: z.string(),
  description: z.string().default(''),
  security: z.array(z.record(z.string(), z.unknown())),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean() })),
  requestBody: z
    .object({ required: z.boolean(), content: z.record(z.string(), z.unknown()) })
    .default({ required: false, content: {} }),
  responses: z.record(z.string(), z.unknown()),
})

const { item: chapters, variable: carried } = Collection.parse(JSON.parse(files.collection))
const items = chapters.flatMap(({ item }) => item)
const values = new Map(Environment.parse(JSON.parse(files.environment)).values.map(({ key, value }) => [key, value]))

/** Each with what the document says of it; one that the document does not have fails here, by its name. */
const requests = () =>
  items.map(({ name, event, request }) => {
    const scriptOf = (listen: string) =>
      event
        .filter(each => each.listen === listen)
        .flatMap(({ script }) => script.exec)
        .join('\n')
    const found = document.paths[patternOf(request)]?.[request.method.toLowerCase()]
    if (found === undefined) throw new Error(`${name}: ${request.method} ${patternOf(request)} is not in the document`)
    return { name, request, operation: Operation.parse(found), before: scriptOf('prerequest'), tests: scriptOf('test') }
  })

function patternOf({ url }: Item['request']): string {
  return `/${url.path.map(part => part.replace(/^:(\w+)$/, '{$1}')).join('/')}`
}

const keysOf = (pairs: { key?: string; name?: string }[]) => pairs.map(({ key, name }) => key ?? name)

const schemaAt = (path: string, method: string): string =>
  `api#/${['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'].map(inPointer).join('/')}`
const inPointer = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))

/** As it is sent, but for what only the server could know: a text for a text, a number for a number. */
const filledIn = (text: string) =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name, at) => values.get(name) ?? (/["\w.]/.test(text[at - 1] ?? '') ? name : '1'))

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormatsModule.default(ajv)
ajv.addSchema(document, 'api')

describe('the Postman collection', () => {
  it('is what the generator makes of the story and of the API: npm run build:postman', () => {
    expect(files.collection).toBe(fileOf(collectionOf(story, document)))
    expect(files.environment).toBe(fileOf(environmentOf(environment)))
  })

  it('names no two requests alike, for one that is made again is found by its name', () => {
    const names = items.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is refused by the generator when it speaks of what the API does not have', () => {
    const says = 'A chapter'
    const asking = (operation: string) =>
      collectionOf([{ name: says, says, steps: [{ name: 'Ada asks', operation, status: 200 }] }], document)
    expect(() => asking('GET /api/auth/you')).toThrow('GET /api/auth/you, which the document does not have')
    expect(() => asking('DELETE /api/auth/me/')).toThrow('the document does not have')
    expect(() => asking('GET /api/auth/me')).toThrow('wants to know who asks')
  })

  it('uses no variable before it is set, and carries those that are', () => {
    const set = new Set(values.keys())
    for (const { name, request, before, tests } of requests()) {
      for (const variable of namesIn(before, /Variables\.set\('(\w+)'/g)) set.add(variable)
      const used = [
        ...namesIn(JSON.stringify(request), /\{\{(\w+)\}\}/g),
        ...namesIn(tests, /\.variables\.get\('(\w+)'\)/g),
      ]
      expect([...set], name).toEqual(expect.arrayContaining(used))
      for (const variable of namesIn(tests, /Variables\.set\('(\w+)'/g)) set.add(variable)
    }
    const own = [...set].filter(name => !values.has(name) && name !== 'tries')
    expect(carried.map(({ key }) => key)).toEqual(own)
  })
})

const namesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)

describe('every request of the Postman collection', () => {
  it('is an operation of the API, told in its words and in a few more', () => {
    for (const { name, request, operation } of requests()) {
      expect(request.description, name).toContain(operation.summary)
      expect(request.description, name).toContain(operation.description.split('\n\n')[0])
      expect(request.description.length, name).toBeGreaterThan(operation.summary.length + 20)
    }
  })

  it('shows a token where the operation wants to know who asks', () => {
    for (const { name, request, operation } of requests()) {
      const open = operation.security.length === 0 || operation.security.some(way => Object.keys(way).length === 0)
      if (!open) expect(request.auth.type, name).toBe('bearer')
    }
  })

  it('has the parameters and headers that the operation has, and no others', () => {
    for (const { name, request, operation } of requests()) {
      const known = (place: string) => operation.parameters.filter(each => each.in === place)
      const headers = [...keysOf(known('header')), 'Content-Type', 'Accept']
      expect(keysOf(request.url.variable), name).toEqual(keysOf(known('path')))
      expect(keysOf(known('query')), name).toEqual(expect.arrayContaining(keysOf(request.url.query)))
      expect(headers, name).toEqual(expect.arrayContaining(keysOf(request.header)))
      const needed = known('query').filter(({ required }) => required)
      expect(keysOf(request.url.query), name).toEqual(expect.arrayContaining(keysOf(needed)))
    }
  })

  it('has a body that the operation takes', () => {
    for (const { name, request, operation } of requests()) {
      const { required, content } = operation.requestBody
      if (!request.body) {
        expect(required, name).toBe(false)
        continue
      }
      const type = request.header.find(({ key }) => key === 'Content-Type')?.value ?? ''
      expect(Object.keys(content), name).toContain(type)
      if (type !== 'application/json') continue
      const validate = ajv.getSchema(schemaAt(patternOf(request), request.method.toLowerCase()))
      const valid = validate?.(JSON.parse(filledIn(request.body.raw)))
      expect(valid, `${name}: ${ajv.errorsText(validate?.errors)}`).toBe(true)
    }
  })

  it('is tested, and expects an answer that the operation has', () => {
    for (const { name, tests, operation } of requests()) {
      const status = /to\.have\.status\((\d+)\)/.exec(tests)?.[1] ?? ''
      expect(Object.keys(operation.responses), name).toContain(status)
      if (status !== '204') expect(tests.match(/pm\.test\(/g)?.length, name).toBeGreaterThan(1)
    }
  })
})
