/** Reads JSON Schemas for the page of docs: their fields as a flat list, and an example of what fits them. */

export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  properties?: { [name: string]: Schema }
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  examples?: unknown[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
}

interface Schemas {
  [id: string]: Schema
}

export interface Field {
  name: string
  type: string
  required: boolean
  description: string
}

const resolve = (schema: Schema, schemas: Schemas): Schema =>
  schema.$ref ? { ...schemas[schema.$ref.split('/').at(-1) ?? ''], ...schema, $ref: undefined } : schema

/** `user.name` and `data[].id`: one line for each member, however deep. Given a name, the first line is for itself. */
export function fieldsOf(schema: Schema, schemas: Schemas, name?: string, required = true): Field[] {
  const { properties = {}, required: needed = [], ...whole } = resolve(schema, schemas)
  const self: Field = { name: name ?? '', type: typeOf(whole), required, description: whole.description ?? '' }
  const prefix = name ? `${name}.` : ''
  const members = Object.entries(properties).flatMap(([member, inner]) =>
    fieldsOf(inner, schemas, `${prefix}${member}`, needed.includes(member)),
  )
  const items = whole.items ? fieldsOf(whole.items, schemas, `${name ?? ''}[]`).slice(1) : []
  return [...(name === undefined ? [] : [self]), ...members, ...items]
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.map(typeOf).join(' or ')
  const type = [schema.type ?? 'any'].flat().join(' or ')
  return [type, schema.format, ...bounds(schema)].filter(Boolean).join(', ')
}

function bounds({ minimum, maximum, minLength, maxLength, default: standard }: Schema): string[] {
  const between = (from: number | undefined, to: number | undefined, unit: string) => {
    if (from === undefined) return to === undefined ? [] : [`up to ${to}${unit}`]
    return [to === undefined ? `${from}${unit} or more` : `${from} to ${to}${unit}`]
  }
  return [
    ...between(minLength, maxLength, ' characters'),
    ...between(minimum, maximum, ''),
    ...(standard === undefined ? [] : [`otherwise ${JSON.stringify(standard)}`]),
  ]
}

/** Something that the schema takes: every required member, and the shown examples where there are any. */
export function example(schema: Schema, schemas: Schemas): unknown {
  const whole = resolve(schema, schemas)
  if (whole.examples) return whole.examples[0]
  if (whole.const !== undefined) return whole.const
  if (whole.enum) return whole.enum[0]
  if (whole.anyOf?.[0]) return example(whole.anyOf[0], schemas)
  if (whole.properties) {
    const shown = Object.entries(whole.properties).filter(
      ([name, inner]) => whole.required?.includes(name) || resolve(inner, schemas).examples,
    )
    return Object.fromEntries(shown.map(([name, inner]) => [name, example(inner, schemas)]))
  }
  if (whole.items) return [example(whole.items, schemas)]
  if (whole.type === 'integer' || whole.type === 'number') return whole.minimum ?? 1
  if (whole.type === 'boolean') return true
  return '…'
}
