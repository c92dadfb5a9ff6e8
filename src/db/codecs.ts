/**
 * Engines answer a boolean as 1 or true, and know JSON as text. What a column of this name holds is decided once, here,
 * for every table, so that a row is what it was before it was stored.
 */
const booleans = ['lobby', 'guests', 'locked', 'admitted', 'shown_out', 'may_send', 'mocked']
const json = ['metadata', 'quality', 'participants', 'contents']

/** Knex hands every answer through here, rows or not. */
export function decode(answer: unknown): unknown {
  if (Array.isArray(answer)) for (const row of answer) decodeRow(row)
  else decodeRow(answer)
  return answer
}

function decodeRow(row: unknown): void {
  if (!isRecord(row)) return
  for (const name of booleans) if (typeof row[name] === 'number') row[name] = row[name] === 1
  for (const name of json) if (typeof row[name] === 'string') row[name] = JSON.parse(row[name])
}

/** A row as it is stored: what is JSON becomes its text. The drivers know what to do with the rest. */
export function encode<Row extends object>(row: Row): Row {
  const texts = Object.entries(row).flatMap(([name, value]) =>
    json.includes(name) && value !== null ? [[name, JSON.stringify(value)]] : [],
  )
  return { ...row, ...Object.fromEntries(texts) }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
