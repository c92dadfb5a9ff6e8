import { z } from 'zod'
import type { ApiDocument } from '../src/http/openapi.ts'
import type { Chapter, Step, Texts } from './step.ts'

/** A Postman collection (format 2.1.0) of a story and of the document that says what its operations are. */

const Operation = z.object({
  summary: z.string(),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.unknown())),
})

const says =
  'The story of a meeting, from register to notes: run it from the top, with the environment beside it, against a server ' +
  'that is started by `npm start`. Each request says who asks and what has to come of it; scripts carry ids and tokens on ' +
  'to the next. It can be run again on the same server.\n\n' +
  'Methods, paths and descriptions are those of `{{base_url}}/openapi.json`. The folder is made by `postman/build.ts`: ' +
  'change the story there.'

/** What holds for every answer. */
const always = [
  "pm.test('the answer has an id to ask about', () => pm.response.to.have.header('X-Request-Id'))",
  'if (pm.response.code >= 400) {',
  "  pm.test('a failure is a problem with a code', () => {",
  "    pm.expect(pm.response.headers.get('Content-Type')).to.include('application/problem+json')",
  "    pm.expect(pm.response.json().code).to.be.a('string')",
  '  })',
  '}',
]

export const collectionOf = (story: Chapter[], document: ApiDocument) => ({
  info: {
    name: 'Parley: a meeting from register to notes',
    description: says,
    schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
  },
  item: story.map(({ name, says, steps }) => ({
    name,
    description: says,
    item: steps.map(step => requestOf(step, document)),
  })),
  event: [script('test', always)],
  variable: carriedBy(story).map(key => ({ key, value: '' })),
})

export const environmentOf = (values: Texts) => ({
  name: 'Parley on this machine',
  values: Object.entries(values).map(([key, value]) => ({
    key,
    value,
    type: key === 'password' ? 'secret' : 'default',
    enabled: true,
  })),
  _postman_variable_scope: 'environment',
})

/** The text of a file; the same for the same story. */
export const fileOf = (made: object): string => `${JSON.stringify(made, null, 2)}\n`

function requestOf(step: Step, document: ApiDocument) {
  const { name, operation, as, note, path = {}, query, headers = {}, body, before } = step
  const [method = '', pattern = ''] = operation.split(' ')
  const found = document.paths[pattern]?.[method.toLowerCase()]
  if (!found) throw new Error(`“${name}” asks for ${operation}, which the document does not have`)
  const { summary, description, security } = Operation.parse(found)
  if (as === undefined && security.length > 0 && !security.some(way => Object.keys(way).length === 0)) {
    throw new Error(`“${name}” is nobody’s, but ${operation} wants to know who asks`)
  }
  const json = typeof body === 'object'
  const all = { ...(json ? { 'Content-Type': 'application/json' } : {}), ...headers }
  return {
    name,
    event: [...(before ? [script('prerequest', settingOf(before).map(expand))] : []), script('test', testsOf(step))],
    request: {
      method,
      description: [summary, description?.split('\n\n')[0], note].filter(Boolean).join('\n\n'),
      auth: as
        ? { type: 'bearer', bearer: [{ key: 'token', value: `{{${as}_token}}`, type: 'string' }] }
        : { type: 'noauth' },
      header: Object.entries(all).map(([key, value]) => ({ key, value })),
      ...(body === undefined ? {} : { body: json ? jsonBody(body) : { mode: 'raw', raw: body } }),
      url: urlOf(pattern, path, query),
    },
    response: [],
  }
}

const jsonBody = (body: object) => ({
  mode: 'raw',
  raw: JSON.stringify(body, null, 2).replace(/"#(\{\{\w+\}\})"/g, '$1'),
  options: { raw: { language: 'json' } },
})

function urlOf(pattern: string, given: Texts, query: Texts = {}) {
  const path = pattern.replace(/\{(\w+)\}/g, ':$1')
  const parameters = [...pattern.matchAll(/\{(\w+)\}/g)].map(([value, key = '']) => ({
    key,
    value: given[key] ?? `{${value}}`,
  }))
  const asked = Object.entries(query).map(([key, value]) => ({ key, value }))
  const search = asked.map(({ key, value }) => `${key}=${value}`).join('&')
  return {
    raw: `{{base_url}}${path}${search ? `?${search}` : ''}`,
    host: ['{{base_url}}'],
    path: path.split('/').slice(1),
    ...(asked.length > 0 ? { query: asked } : {}),
    ...(parameters.length > 0 ? { variable: parameters } : {}),
  }
}

function testsOf({ status, where = {}, tests = {}, keep = {}, again }: Step): string[] {
  const said = [where, tests, keep].flatMap(Object.values).concat(again ?? [])
  const speaksOf = (word: string) => said.some(expression => new RegExp(`(?<!\\.)\\b${word}\\b`).test(expression))
  const wanted = [
    ...Object.entries(where).map(([name, value]) => `const ${name} = ${value}`),
    ...Object.entries(tests).map(([sentence, test]) => `pm.test('${sentence}', () => ${test})`),
    ...settingOf(keep),
  ]
  return [
    `pm.test('the status is ${status}', () => pm.response.to.have.status(${status}))`,
    ...(speaksOf('answer') ? ['const answer = pm.response.json()'] : []),
    ...(speaksOf('body') ? ['const body = pm.response.text()'] : []),
    ...(again ? patiently(again, wanted) : wanted),
  ].map(expand)
}

/** A request that is made again has no more to say this time, and a timer holds its script for as long as it waits. */
const patiently = (again: string, lines: string[]): string[] => [
  "const tries = Number(pm.collectionVariables.get('tries') ?? 0) + 1",
  `const again = ${again} && tries < 100`,
  "pm.collectionVariables.set('tries', again ? tries : 0)",
  'if (again) {',
  '  pm.execution.setNextRequest(pm.info.requestName)',
  '  setTimeout(() => {}, 100)',
  '} else {',
  ...lines.map(line => `  ${line}`),
  '}',
]

const settingOf = (values: Texts): string[] =>
  Object.entries(values).map(([variable, value]) => `pm.collectionVariables.set('${variable}', ${value})`)

/** `{{name}}` is for Postman's own fields; a script asks for the variable. */
const expand = (line: string): string => line.replace(/\{\{(\w+)\}\}/g, "pm.variables.get('$1')")

const script = (listen: 'test' | 'prerequest', exec: string[]) => ({
  listen,
  script: { type: 'text/javascript', exec },
})

/** Every variable that a script sets, in the order of the story. */
const carriedBy = (story: Chapter[]): string[] => [
  ...new Set(story.flatMap(({ steps }) => steps).flatMap(({ before, keep }) => Object.keys({ ...before, ...keep }))),
]
