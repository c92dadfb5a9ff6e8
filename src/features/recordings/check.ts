import type { Db } from '../../db/transaction.ts'
import { type Files, partName, RECORDING, SEEKABLE } from './files.ts'
import * as store from './store.ts'

export interface Findings {
  /** Files that belong to nothing. */
  orphans: string[]
  /** Files that something says are there. */
  missing: string[]
  checked: number
}

/** Holds what is on the disk against what the database says of it. What is just being written may look like an orphan. */
export async function checkStorage(db: Db, files: Files): Promise<Findings> {
  const findings: Findings = { orphans: [], missing: [], checked: 0 }
  const folders = new Set((await files.listFolders()).map(({ id }) => id))
  for (let after = ''; ; ) {
    const rows = await store.listAfter(db, after, 100)
    for (const row of rows) {
      const expected = await namesOf(db, row)
      const there = folders.delete(row.id) ? await files.list(row.id) : []
      findings.missing.push(...expected.filter(name => !there.includes(name)).map(name => `${row.id}/${name}`))
      findings.orphans.push(...there.filter(name => !expected.includes(name)).map(name => `${row.id}/${name}`))
      findings.checked++
    }
    after = rows.at(-1)?.id ?? ''
    if (rows.length < 100) break
  }
  findings.orphans.push(...folders)
  return findings
}

/** What there should be in its folder. */
export async function namesOf(db: Db, { id, status, seekable_bytes }: store.RecordingRow): Promise<string[]> {
  if (status === 'failed') return []
  if (status === 'ready') return seekable_bytes === null ? [RECORDING] : [RECORDING, SEEKABLE]
  return (await store.listChunks(db, id)).map(({ number, sha256 }) => partName(number, sha256))
}
