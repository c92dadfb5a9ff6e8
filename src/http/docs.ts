import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { packageRoot } from '../kernel/package.ts'
import { example, fieldsOf, type Schema } from './docs-schema.ts'
import type { ApiDocument, Json } from './openapi.ts'
import { Internal, NoRoute, statusOf, WrongMethod } from './problems.ts'
import { route, text } from './route.ts'
import { UnreadableRequest } from './server.ts'

/**
 * The OpenAPI document as one page: no script, no font, no request to anywhere, readable on a phone. It is made of the
 * served document alone, so it cannot say anything else.
 */

interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security: Json[]
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Schema }[]
  requestBody?: { content: { [type: string]: { schema: Schema } } }
  responses: { [status: string]: { description: string; content?: { [type: string]: { schema: Schema } } } }
}

interface Group {
  name: string
  description: string
  entries: Entry[]
}

interface Entry {
  method: string
  path: string
  operation: Operation
}

export function docsPage(document: ApiDocument, origin: string): string {
  const entries = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: operation as Operation, // describeApi has made it so
    })),
  )
  const schemas = document.components.schemas as { [id: string]: Schema }
  const groups = document.tags.map(({ name, description = '' }) => ({
    name,
    description,
    entries: entries.filter(({ operation }) => operation.tags.includes(name)),
  }))

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(document.info.title)} API</title>
<style>${style}</style>
</head>
<body>
<nav aria-label="Operations">
<a class="brand" href="#top">${escapeHtml(document.info.title)} <small>${escapeHtml(document.info.version)}</small></a>
${groups.map(navigation).join('\n')}
<h2>more</h2>
<ul><li><a href="#problems">Problems</a></li><li><a href="/openapi.json">openapi.json</a></li></ul>
</nav>
<main id="top">
<h1>${escapeHtml(document.info.summary)}</h1>
<p>${prose(document.info.description)}</p>
${groups.map(showGroup).join('\n')}
${problemList(entries)}
</main>
</body>
</html>
`

  function showGroup({ name, description, entries }: Group): string {
    return `<h2>${escapeHtml(name)}</h2>\n<p>${prose(description)}</p>\n${entries.map(show).join('\n')}`
  }

  function show({ method, path, operation }: Entry): string {
    const body = operation.requestBody?.content['application/json']?.schema
    return `<section id="${operation.operationId}">
<h3>${escapeHtml(operation.summary)} ${badge(operation)}</h3>
<p class="line"><b class="${method.toLowerCase()}">${method}</b> <code>${escapeHtml(path).replaceAll('/', '/<wbr>')}</code></p>
${operation.description ? `<p>${prose(operation.description)}</p>` : ''}
${fieldTable(
  'Parameters',
  operation.parameters.map(({ schema, ...parameter }) => ({ ...fieldsOf(schema, schemas, '')[0], ...parameter })),
)}
${body ? fieldTable('Body', fieldsOf(body, schemas)) : ''}
${success(operation, schemas)}
<details><summary>What can go wrong</summary><dl>${refusals(operation)}</dl></details>
<details><summary>As curl</summary><pre>${escapeHtml(curl({ method, path, operation }, body))}</pre></details>
</section>`
  }

  function curl({ method, path, operation }: Entry, body: Schema | undefined): string {
    return [
      `curl ${method === 'GET' ? '' : `-X ${method} `}'${origin}${path}'`,
      ...(needsToken(operation) ? [`-H "Authorization: Bearer $TOKEN"`] : []),
      ...(body ? [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example(body, schemas))}'`] : []),
    ].join(' \\\n  ')
  }
}

const navigation = ({ name, entries }: Group) =>
  `<h2>${escapeHtml(name)}</h2>
<ul>${entries.map(({ operation }) => `<li><a href="#${operation.operationId}">${escapeHtml(operation.summary)}</a></li>`).join('')}</ul>`

/** One without any scheme among them says that a token may be left out. */
const needsToken = ({ security }: Operation): boolean =>
  security.length > 0 && security.every(scheme => Object.keys(scheme).length > 0)

function badge(operation: Operation): string {
  if (!needsToken(operation)) return ''
  const guests = operation.security.some(scheme => 'guest' in scheme)
  return `<small class="lock">needs a token${guests ? ', and a guest’s will do' : ''}</small>`
}

interface Row {
  name: string
  type?: string
  required?: boolean
  description?: string
}

function fieldTable(caption: string, rows: Row[]): string {
  if (rows.length === 0) return ''
  const cells = rows.map(
    ({ name, type = '', required, description = '' }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? '' : ' <small>optional</small>'}</td>` +
      `<td>${escapeHtml(type)}${description ? `<br><small>${prose(description)}</small>` : ''}</td></tr>`,
  )
  return `<table><caption>${escapeHtml(caption)}</caption>${cells.join('')}</table>`
}

const success = ({ responses }: Operation, schemas: { [id: string]: Schema }): string =>
  Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, { content = {} }]) => answer(status, content, schemas))
    .join('')

function answer(status: string, content: { [type: string]: { schema: Schema } }, schemas: { [id: string]: Schema }) {
  const { 'application/json': json, ...others } = content
  const types = Object.keys(others).map(escapeHtml).join(' or ')
  if (!json) return `<p class="answer">Answers <b>${status}</b>${types ? ` with ${types}` : ''}</p>`
  const also = types ? `, or ${types} for who asks by Accept` : ''
  const fields = json.schema.type === 'string' ? [] : fieldsOf(json.schema, schemas)
  return (
    fieldTable(`Answer ${status}${also}`, fields) || `<p class="answer">Answers <b>${status}</b> with JSON${also}</p>`
  )
}

const problemsIn = ({ responses }: Operation) =>
  Object.entries(responses)
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, { description }]) => description.split('\n\n').map(line => ({ status, line })))

const refusals = (operation: Operation) =>
  problemsIn(operation)
    .map(({ status, line }) => `<dt>${status}</dt><dd>${prose(line)}</dd>`)
    .join('')

/** What may be met at any address, declared or not. */
const everywhere = [
  { status: String(statusOf[NoRoute.kind]), line: `\`${NoRoute.code}\`: ${NoRoute.title}` },
  { status: String(statusOf[WrongMethod.kind]), line: `\`${WrongMethod.code}\`: ${WrongMethod.title}` },
  {
    status: String(statusOf[UnreadableRequest.kind]),
    line: `\`${UnreadableRequest.code}\`: ${UnreadableRequest.title}`,
  },
  { status: '500', line: `\`${Internal.code}\`: ${Internal.title}` },
]

/** Each problem once: this is where the `type` of a problem leads. */
function problemList(entries: Entry[]): string {
  const met = [...entries.flatMap(({ operation }) => problemsIn(operation)), ...everywhere]
  const rows = [...new Map(met.map(({ status, line }) => [line, status]))].sort().map(([line, status]) => {
    const code = /`(\w+)`/.exec(line)?.[1] ?? ''
    return `<dt id="${code}">${status}</dt><dd>${prose(line)}</dd>`
  })
  return `<h2 id="problems">problems</h2><dl class="all">${rows.join('')}</dl>`
}

const entities: { [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (plain: string): string => plain.replace(/[&<>"']/g, character => entities[character] ?? '')
/** As much Markdown as our sentences use. */
const prose = (markdown: string): string => escapeHtml(markdown).replace(/`([^`]+)`/g, '<code>$1</code>')

const style = readFileSync(new URL('web/docs.css', packageRoot), 'utf8')
const styleHash = createHash('sha256').update(style).digest('base64')

export const docsRoute = (page: () => string) =>
  route('GET /docs', {
    summary: 'Read this API as a page',
    access: 'anyone',
    reply: { 200: text('text/html; charset=utf-8') },
    headers: {
      'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`,
    },
    handle: page,
  })
