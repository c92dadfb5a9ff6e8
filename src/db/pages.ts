import type { Knex } from 'knex'
import type { Page } from '../kernel/fields.ts'
import { Invalid } from '../kernel/problem.ts'

export interface Paged<Row> {
  data: Row[]
  next_cursor: string | null
}

type Direction = 'asc' | 'desc'

/**
 * One page of a list, found by where the last one ended rather than by counting, so that the fiftieth page costs what
 * the first does and rows added meanwhile neither repeat nor hide any. The order ends with a unique column; all of its
 * columns are texts (ids, instants, titles) and never null.
 */
export async function pageOf<Row extends object>(
  query: Knex.QueryBuilder,
  order: { [column in keyof Row & string]?: Direction },
  { limit, cursor }: Page,
): Promise<Paged<Row>> {
  const columns = Object.entries<Direction | undefined>(order)
  if (cursor !== undefined) after(query, columns, decode(cursor, columns.length))
  for (const [column, direction] of columns) query.orderBy(column, direction)

  const rows: Row[] = await query.limit(limit + 1)
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  return { data, next_cursor: last && rows.length > limit ? encode(last, columns) : null }
}

/** (a, b) > (x, y), spelled out, since each column has its own direction: a > x or (a = x and b > y). */
function after(query: Knex.QueryBuilder, columns: [string, Direction | undefined][], values: string[]) {
  // Said twice, for an engine begins to read at a bound, and not at an alternative.
  const [[first, direction] = ['']] = columns
  query.where(first, direction === 'desc' ? '<=' : '>=', values[0] ?? '')
  query.where(either => {
    columns.forEach(([column, direction], last) => {
      either.orWhere(all => {
        for (let i = 0; i < last; i++) all.where(columns[i]?.[0] ?? '', values[i] ?? '')
        all.where(column, direction === 'desc' ? '<' : '>', values[last] ?? '')
      })
    })
  })
}

function encode(row: object, columns: [string, unknown][]): string {
  const cells = new Map(Object.entries(row))
  return Buffer.from(JSON.stringify(columns.map(([column]) => cells.get(column)))).toString('base64url')
}

function decode(cursor: string, length: number): string[] {
  const values = parse(Buffer.from(cursor, 'base64url').toString())
  if (Array.isArray(values) && values.length === length && values.every(isKey)) return values
  throw Invalid({ errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] })
}

const isKey = (value: unknown) => typeof value === 'string' && value.isWellFormed() && !value.includes('\0')

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
