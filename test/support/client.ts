import { Agent } from 'node:http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import supertest, { type Response } from 'supertest'
import { expect } from 'vitest'
import type { ApiDocument } from '../../src/http/openapi.ts'

const addFormats = addFormatsModule.default

type Headers = { [name: string]: string }

export type Client = ReturnType<typeof createClient>

interface Operation {
  responses: { [status: string]: { content?: object } }
}

interface Options {
  origin: string
  document: ApiDocument
  headers?: Headers
  /** Another address of the loopback network, to call from. */
  from?: string
}

/** Calls the server as a stranger would, and holds each answer against the document that the server publishes. */
export function createClient({ origin, document, headers = {}, from = '127.0.0.1' }: Options) {
  const check = checkerOf(document)
  const agent = new Agent({ localAddress: from })

  async function call(method: string, path: string, body?: unknown, extra: Headers = {}): Promise<Response> {
    const verb = method.toLowerCase() as 'get'
    const request = supertest(origin)
      [verb](path)
      .agent(agent)
      .set({ ...headers, ...extra })
    const response = await (body === undefined ? request : request.send(body as object))
    check(method, path, response)
    return response
  }

  return {
    call,
    get: (path: string, extra?: Headers) => call('GET', path, undefined, extra),
    post: (path: string, body?: unknown, extra?: Headers) => call('POST', path, body, extra),
    put: (path: string, body?: unknown, extra?: Headers) => call('PUT', path, body, extra),
    patch: (path: string, body?: unknown, extra?: Headers) => call('PATCH', path, body, extra),
    delete: (path: string, extra?: Headers) => call('DELETE', path, undefined, extra),
    /** The same caller with other headers, or from another address. */
    with: (other: Partial<Pick<Options, 'headers' | 'from'>>) =>
      createClient({ origin, document, from: other.from ?? from, headers: { ...headers, ...other.headers } }),
  }
}

const checkers = new WeakMap<ApiDocument, ReturnType<typeof createChecker>>()

function checkerOf(document: ApiDocument) {
  const checker = checkers.get(document) ?? createChecker(document)
  checkers.set(document, checker)
  return checker
}

/** Fails a test whose server answers what it has not declared: another status, type or shape, another problem. */
function createChecker(document: ApiDocument) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema(document, 'api')
  const paths = Object.keys(document.paths).map(path => ({
    path,
    pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  }))

  return (method: string, url: string, response: Response): void => {
    const at = `${method} ${url} → ${response.status}`
    expect(response.headers['x-request-id'], at).toBeTruthy()
    expect(response.status, `${at} ${JSON.stringify(response.body)}`).not.toBe(500)
    if (response.status === 201) expect(response.headers.location, `${at} without Location`).toMatch(/^\//)
    const path = paths.find(({ pattern }) => pattern.test(new URL(url, 'http://x').pathname))?.path
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
    const operation = document.paths[path ?? '']?.[verb] as Operation | undefined
    if (!operation) {
      expect([404, 405, 204], at).toContain(response.status)
      return
    }
    expect(Object.keys(operation.responses), at).toContain(String(response.status))
    const declared = Object.keys(operation.responses[response.status]?.content ?? {}).map(type => type.split(';')[0])
    expect(declared.length > 0 ? declared : [''], at).toContain(response.type)
    if (method === 'HEAD' || !response.type.endsWith('json') || url === '/openapi.json') return
    const pointer = ['paths', path ?? '', verb, 'responses', response.status, 'content', response.type, 'schema']
    const $ref = `api#/${pointer.map(part => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const validate = ajv.getSchema($ref)
    const valid = validate?.(response.body)
    expect(valid, `${at} is not as declared: ${ajv.errorsText(validate?.errors)}`).toBe(true)
  }
}
