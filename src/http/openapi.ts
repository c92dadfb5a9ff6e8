import { z } from 'zod'
import { ProblemReply, problemsOf, statusOf } from './problems.ts'
import {
  type Access,
  isBytes,
  isFile,
  isText,
  nothing,
  type Route,
  route,
  successesOf,
  takesBody,
  text,
} from './route.ts'

/** The OpenAPI document, read off the declarations. What it says is what is enforced, for both read the same schemas. */

export type Json = { [key: string]: unknown }

interface Schemas {
  [id: string]: unknown
}

/** What the operations are filed under, in the words of the docs. */
const tags: { [tag: string]: string } = {
  auth: 'Accounts: registering, logging in and out, and my own profile.',
  meetings: 'Meetings, from the first draft to the last goodbye: planning, inviting, joining, hosting, leaving.',
  invitations: 'What I am invited to, and what I answer; with an account, or by the link of a mail.',
  join: 'Coming by the code of a meeting, as a guest who knocks.',
  rooms: 'Quick rooms: a name, and you are in.',
  recordings: 'What was recorded: its parts as they arrive, and the file that they make.',
  rtc: 'Signaling: what browsers say to each other, in inboxes that lose nothing.',
  operations: 'For whoever runs this server, and for programs that want to know what it can do.',
}

/** `/api/auth/login` is filed under auth; what lies outside of /api is for operators. */
const tagOf = ({ path }: Route): string => /^\/api\/([^/]+)/.exec(path)?.[1] ?? 'operations'

export function describeApi(routes: Route[], { version, public_url }: { version: string; public_url?: string }) {
  const schemas: Schemas = {}
  const paths: { [path: string]: Json } = {}
  schemaOf(ProblemReply, 'output', schemas)
  for (const declared of routes) {
    const path = declared.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [declared.method.toLowerCase()]: describeOperation(declared, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley',
      version,
      summary: 'Meetings and WebRTC signaling over plain HTTP',
      description:
        'Every failure is `application/problem+json` with a stable `code`. Unknown members of a body and unknown query ' +
        'parameters are refused, so that a typo is never silently lost. Every answer carries `X-Request-Id`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: public_url ?? '/' }],
    security: [],
    tags: [...new Set(routes.map(tagOf))].map(name => ({ name, description: tags[name] })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token of a login' },
        guest: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The `participant_token` of a guest',
        },
        operator: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN; not needed on the same machine' },
      },
      schemas,
    },
  }
}

export type ApiDocument = ReturnType<typeof describeApi>

/** "Log in" becomes `logIn`: what a generated client calls its method. */
const operationId = (summary: string): string =>
  summary
    .replace(/[^\w\s]/g, '')
    .split(/\s+/)
    .map((word, i) => (i === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('')

function describeOperation(declared: Route, schemas: Schemas): Json {
  return {
    tags: [tagOf(declared)],
    operationId: operationId(declared.summary),
    summary: declared.summary,
    description: declared.description,
    security: securityOf[declared.access],
    parameters: [
      ...parameters('path', declared.params, schemas),
      ...parameters('query', declared.query, schemas),
      ...headerParameters(declared),
    ],
    requestBody: isBytes(declared.body)
      ? { required: true, content: { 'application/octet-stream': { schema: {} } } }
      : takesBody(declared) && declared.body
        ? requestBody(declared.body, declared, schemas)
        : undefined,
    responses: { ...describeSuccess(declared, schemas), ...describeProblems(declared) },
  }
}

const securityOf: Record<Access, Json[]> = {
  anyone: [],
  optional: [{}, { bearer: [] }, { guest: [] }],
  participant: [{ bearer: [] }, { guest: [] }],
  bearer: [{ bearer: [] }, { guest: [] }],
  user: [{ bearer: [] }],
  operator: [{}, { operator: [] }],
}

// biome-ignore lint/suspicious/noExplicitAny: any object schema
function parameters(place: 'path' | 'query', schema: z.ZodObject<any> | undefined, schemas: Schemas) {
  if (!schema) return []
  const { properties = {}, required = [] } = z
    .object({
      properties: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
      required: z.array(z.string()).optional(),
    })
    .parse(schemaOf(schema, 'input', schemas))
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    description,
    schema,
  }))
}

function headerParameters({ idempotent, if_match, etag, method, reply }: Route) {
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  })
  return [
    ...(idempotent ? [header('Idempotency-Key', 'The same key and body give the first answer again, for a day')] : []),
    ...(if_match ? [header('If-Match', 'Only if its ETag is still this one; otherwise 412')] : []),
    ...(Object.values(reply).some(isFile)
      ? [
          header('Range', 'One part of it: `bytes=0-1023`, `bytes=1024-` or `bytes=-1024`'),
          header('If-Range', 'The part only if its ETag is still this one; otherwise all of it'),
        ]
      : []),
    ...(etag && method === 'GET' ? [header('If-None-Match', 'Answers 304 if its ETag is still this one')] : []),
  ]
}

function requestBody(body: z.ZodType, { beacon, reads = {} }: Route, schemas: Schemas): Json {
  const content = { schema: schemaOf(body, 'input', schemas) }
  const others = Object.keys(reads).map(type => [type, { schema: { type: 'string' } }])
  return {
    required: !body.safeParse({}).success,
    content: {
      'application/json': content,
      ...(beacon ? { 'text/plain': content } : {}),
      ...Object.fromEntries(others),
    },
  }
}

function describeSuccess(declared: Route, schemas: Schemas): Json {
  const header = (description: string) => ({ description, schema: { type: 'string' } })
  const headers = {
    ...(declared.etag ? { ETag: header('Its version, in quotes') } : {}),
    ...(declared.location ? { Location: header('Where it can be found') } : {}),
    ...(declared.idempotent ? { 'Idempotency-Replayed': header('`true` on a repeated answer') } : {}),
  }
  const alternatives = Object.fromEntries(
    Object.keys(declared.also ?? {}).map(type => [type, { schema: { type: 'string' } }]),
  )
  const successes = successesOf(declared).map(({ status, reply }) => {
    const content =
      reply === nothing
        ? undefined
        : isText(reply)
          ? { [reply.content_type]: { schema: { type: 'string' } } }
          : isFile(reply)
            ? Object.fromEntries(reply.file_types.map(type => [type, { schema: {} }]))
            : { 'application/json': { schema: schemaOf(reply, 'output', schemas) }, ...alternatives }
    return [status, { description: 'Done', headers, content }]
  })
  const files = successesOf(declared).some(({ reply }) => isFile(reply))
  const unchanged = (declared.etag && declared.method === 'GET') || files
  const notModified = unchanged ? { 304: { description: 'You have it already' } } : {}
  return { ...Object.fromEntries(successes), ...notModified }
}

/** One response for each status, which names the codes that a client may meet under it. */
function describeProblems(declared: Route): Json {
  const all = problemsOf(declared)
  const statuses = [...new Set(all.map(({ kind }) => statusOf[kind]))].map(status => ({
    status,
    problems: all.filter(({ kind }) => statusOf[kind] === status),
  }))
  return Object.fromEntries(
    statuses.map(({ status, problems }) => [
      status,
      {
        description: problems.map(({ code, title }) => `\`${code}\`: ${title}`).join('\n\n'),
        content: {
          'application/problem+json': {
            schema: {
              allOf: [{ $ref: '#/components/schemas/Problem' }],
              properties: { code: { enum: problems.map(({ code }) => code) } },
            },
          },
        },
      },
    ]),
  )
}

/** The JSON Schema of a zod schema; whatever has an id of its own goes into `schemas` and is referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Schemas): Json {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema, { io, override: tidy })
  for (const [id, definition] of Object.entries($defs ?? {})) schemas[id] = inComponents(definition)
  return inComponents(rest)
}

const inComponents = (schema: object): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))

/** Leaves out what a reader has no use for: the pattern of a named format, and the limits of a double. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format) delete jsonSchema.pattern
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}

export const openapiRoute = (document: () => string) =>
  route('GET /openapi.json', {
    summary: 'Read this API as an OpenAPI document',
    access: 'anyone',
    reply: { 200: text('application/json') },
    handle: document,
  })
