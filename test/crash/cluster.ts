import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { whenDone } from '../support/cleanup.ts'
import { steadyPort } from './node.ts'

/** A Postgres of one's own, that may be made to fall over; or why there is none. */

export interface Cluster {
  url: string
  /** As after a loss of power: nobody is waited for, nothing is written out, and the log is replayed. */
  crash(): Promise<void>
}

export async function startCluster(): Promise<Cluster | { cannot: string }> {
  const programs = programsOf()
  if (programs === undefined) return { cannot: 'initdb is not installed' }
  const owner = ownerOf()
  if ('cannot' in owner) return owner
  const { uid, gid, as } = owner

  const folder = mkdtempSync(join(tmpdir(), 'parley-cluster-'))
  chownSync(folder, uid, gid)
  const port = await steadyPort()
  const log = join(folder, 'log')
  const data = join(folder, 'data')

  const call = async (program: string, ...args: string[]): Promise<void> => {
    const [command = '', ...rest] = [...as, join(programs, program), ...args]
    const child = spawn(command, rest, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    const [code] = await once(child, 'exit') // and not its pipes, which the server inherits
    if (code === 0) return
    throw new Error(`${program} ${args} ended with ${code}:\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`)
  }

  whenDone(async () => {
    if (existsSync(join(data, 'postmaster.pid'))) await call('pg_ctl', '-D', data, '-m', 'immediate', 'stop')
    rmSync(folder, { recursive: true, force: true })
  })
  await call('initdb', '-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync')
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on`
  await call('pg_ctl', '-D', data, '-l', log, '-w', '-o', options, 'start')

  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    crash: () => call('pg_ctl', '-D', data, '-l', log, '-w', '-m', 'immediate', 'restart'),
  }
}

/** Where the newest of them are: Debian keeps them out of the way of others. */
function programsOf(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map(version => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find(folder => existsSync(join(folder, 'initdb')))
}

interface Owner {
  uid: number
  gid: number
  /** How to become it. */
  as: string[]
}

/** Postgres does not run as root. */
function ownerOf(): Owner | { cannot: string } {
  const { getuid, getgid } = process
  if (!getuid || !getgid) return { cannot: 'this system has no user to run Postgres as' }
  if (getuid() !== 0) return { uid: getuid(), gid: getgid(), as: [] }
  try {
    const idOf = (what: string) =>
      Number(execFileSync('id', [what, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }))
    execFileSync('runuser', ['-u', 'postgres', '--', 'true'], { stdio: 'ignore' })
    return { uid: idOf('-u'), gid: idOf('-g'), as: ['runuser', '-u', 'postgres', '--'] }
  } catch {
    return { cannot: 'Postgres does not run as root, and there is no user postgres to become' }
  }
}
