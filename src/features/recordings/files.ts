import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { newSecret } from '../../kernel/ids.ts'
import { StorageFull } from './schema.ts'

/**
 * All that touches `storage/recordings/`. A recording is a folder that is named by its id; in it are the parts that have
 * come, each named by its number and its bytes, and in the end `recording` and perhaps `seekable`. Nothing there is
 * named by what a person chose, and nothing is reached through a symbolic link.
 *
 * What is written is whole or not there: it is written under another name, flushed, and renamed.
 */
export type Files = ReturnType<typeof createFiles>

export interface Written {
  bytes: number
  sha256: string
}

/** What was written under a name of its own, and has not got its real one yet. */
export interface Draft extends Written {
  keepAs(name: string): Promise<void>
  drop(): Promise<void>
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
export const RECORDING = 'recording'
export const SEEKABLE = 'seekable'
const temporary = 'part-'

export function createFiles(storage_dir: string) {
  const root = join(storage_dir, 'recordings')
  const folderOf = (id: string) => join(root, requireName(id))
  const pathOf = (id: string, name: string) => join(folderOf(id), requireName(name))

  async function makeFolder(id: string): Promise<void> {
    await mkdir(folderOf(id), { recursive: true, mode: 0o700 })
    await requireFolder(id)
  }

  /** A link in its place would lead elsewhere. */
  async function requireFolder(id: string): Promise<void> {
    if (!(await lstat(folderOf(id))).isDirectory()) throw new Error(`${id} is not a folder`)
  }

  /** Writes what comes, as it comes. Nothing is left of what could not be written whole. */
  async function write(id: string, source: AsyncIterable<Uint8Array>): Promise<Draft> {
    const draft = pathOf(id, temporary + newSecret())
    const drop = () => rm(draft, { force: true })
    async function orDrop<Result>(work: () => Promise<Result>): Promise<Result> {
      try {
        return await work()
      } catch (error) {
        await drop()
        throw isFull(error) ? StorageFull() : error
      }
    }
    const written = await orDrop(async () => {
      await makeFolder(id)
      return writeTo(draft, source)
    })
    const keepAs = (name: string) =>
      orDrop(async () => {
        await rename(draft, pathOf(id, name))
        await flushFolder(folderOf(id))
      })
    return { ...written, drop, keepAs }
  }

  async function openToRead(id: string, name: string): Promise<FileHandle> {
    await requireFolder(id)
    return open(pathOf(id, name), O_RDONLY | O_NOFOLLOW)
  }

  async function* read(id: string, name: string): AsyncGenerator<Buffer> {
    const handle = await openToRead(id, name)
    yield* handle.createReadStream({ highWaterMark: 256 * 1024 })
  }

  return {
    write,

    /** The parts one after the other, as one file. */
    join: (id: string, parts: string[]): Promise<Draft> =>
      write(
        id,
        (async function* () {
          for (const part of parts) yield* read(id, part)
        })(),
      ),

    /** A part of a file; both ends are included. */
    async stream(id: string, name: string, start: number, end: number): Promise<Readable> {
      const handle = await openToRead(id, name)
      return handle.createReadStream({ start, end })
    },

    /** For a program of its own, which knows paths and not ids. */
    pathOf,

    /** A place for such a program to write to; it is flushed and renamed when it has. */
    async draftAt(id: string, name: string) {
      const draft = pathOf(id, temporary + newSecret())
      return {
        path: draft,
        drop: () => rm(draft, { force: true }),
        async keep(): Promise<number> {
          const handle = await open(draft, O_RDONLY | O_NOFOLLOW)
          try {
            await handle.chmod(0o600)
            await handle.sync()
            await rename(draft, pathOf(id, name))
            await flushFolder(folderOf(id))
            return (await handle.stat()).size
          } finally {
            await handle.close()
          }
        },
      }
    },

    /** All else in the folder goes. */
    async keepOnly(id: string, names: string[]): Promise<void> {
      await requireFolder(id)
      const others = (await readdir(folderOf(id))).filter(name => !names.includes(name))
      for (const name of others) await rm(join(folderOf(id), name), { force: true, recursive: true })
    },

    remove: (id: string, name: string): Promise<void> => rm(pathOf(id, name), { force: true }),
    removeAll: (id: string): Promise<void> =>
      rm(folderOf(id), { force: true, recursive: true, maxRetries: 5, retryDelay: 50 }),

    /** The names of all folders, and how long each has not been changed. */
    async listFolders(): Promise<{ id: string; changed_at: Date }[]> {
      const names = (await readdir(root).catch(ignoreMissing)) ?? []
      const folders: { id: string; changed_at: Date }[] = []
      for (const id of names) {
        const found = await lstat(join(root, id)).catch(ignoreMissing)
        if (found) folders.push({ id, changed_at: found.mtime })
      }
      return folders
    },

    /** What is in one. */
    list: async (id: string): Promise<string[]> => (await readdir(folderOf(id)).catch(ignoreMissing)) ?? [],

    /** Of a folder that is no recording's, whatever it is called. */
    removeStray: (name: string): Promise<void> => rm(join(root, name), { force: true, recursive: true }),
  }
}

/** The part of that number, if it is made of those bytes: so of two that come at once, neither is written over the other. */
export const partName = (number: number, sha256: string): string => `${number}-${sha256.slice(0, 32)}`

/** Ids and names are ours, so anything else is a bug, and must not become a path. */
function requireName(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/.test(name)) throw new Error('That is no name of a file here')
  return name
}

async function writeTo(path: string, source: AsyncIterable<Uint8Array>): Promise<Written> {
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    const sum = createHash('sha256')
    let bytes = 0
    for await (const chunk of source) {
      sum.update(chunk)
      await writeAll(handle, chunk)
      bytes += chunk.length
    }
    await handle.sync()
    return { bytes, sha256: sum.digest('hex') }
  } finally {
    await handle.close()
  }
}

/** A disk that is nearly full takes a part, without a word. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written)).bytesWritten
  }
}

/** A name is only sure to be there once its folder is flushed, too. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)
const isFull = (error: unknown): boolean => codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}

/** Of what comes and is not to be written. */
export async function sumOf(source: AsyncIterable<Uint8Array>): Promise<Written> {
  const sum = createHash('sha256')
  let bytes = 0
  for await (const chunk of source) {
    sum.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: sum.digest('hex') }
}
