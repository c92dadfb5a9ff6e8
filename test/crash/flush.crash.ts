import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { whenDone } from '../support/cleanup.ts'
import { emptyFolder } from '../support/process.ts'
import { onSqlite } from './databases.ts'
import { createNode, steadyPort } from './node.ts'
import { orNotRun } from './not-run.ts'
import { createWire } from './wire.ts'

const sends = 50

it('a signal is written and flushed to the disk before the answer says that it is stored', async context => {
  const trace = join(emptyFolder(), 'trace')
  const strace = orNotRun(context, straceTo(trace))
  const { url } = await onSqlite()
  const node = createNode({ DATABASE_URL: url, port: await steadyPort(), under: strace.command })
  await node.start()
  const server = serverUnder(node.pid)
  whenDone(() => kill(server)) // it outlives strace, if that ends first
  const wire = createWire({ originOf: () => node.origin, when: node.when })
  const [ada, bob] = [await wire.enter('flush', 'Ada'), await wire.enter('flush', 'Bob')]
  for (let i = 1; i <= sends; i++) {
    const signal = { to: { connection: bob.connection }, type: 'custom.flush', payload: wordOf(i) }
    await wire.ask(ada.token, '/rtc/signals', { connection: ada.connection, first_seq: i, signals: [signal] })
  }
  kill(server)
  await node.ended() // strace, that is, which has written all by then

  const calls = readFileSync(trace, 'utf8').split('\n')
  const find = (from: number, what: string, isIt: (call: string) => boolean) => {
    const found = calls.findIndex((call, at) => at >= from && isIt(call))
    expect(found, `${what} is not in what it did`).toBeGreaterThan(-1)
    return found
  }
  let answered = 0
  for (let i = 1; i <= sends; i++) {
    const isWrite = (call: string) => call.includes('pwrite64(') && call.includes('-wal>') && call.includes(wordOf(i))
    const isAnswer = (call: string) =>
      /(write|writev|sendto|sendmsg)\(\d+<socket/.test(call) && call.includes('{\\"results\\":')
    const written = find(0, `the write of signal ${i}`, isWrite)
    const flushed = find(written, `a flush after the write of signal ${i}`, isFlushed)
    answered = find(answered + 1, `the answer to send ${i}`, isAnswer)
    expect(calls[answered], `the answer to send ${i}`).toContain('HTTP/1.1 200')
    expect(flushed, `send ${i} was answered before its flush:\n${calls.slice(written, flushed + 1)}`).toBeLessThan(
      answered,
    )
  }
  const flushes = calls.filter(isFlushed).length
  console.log(`${sends} sends, one after the other: ${flushes} flushes since the start, one before each answer`)
  expect(flushes).toBeGreaterThanOrEqual(sends)
})

const wordOf = (i: number) => `word-${i}-of-${sends}`

/** Over, and well: the call and its end may be on two lines, with those of other threads between them. */
const isFlushed = (call: string): boolean => /(fsync|fdatasync)(\(\d+<[^>]*-wal>\)| resumed>\)) += 0/.test(call)

/** strace, if it is there and the system lets it watch. */
function straceTo(file: string): { command: string[] } | { cannot: string } {
  const watch = 'trace=fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg'
  const command = ['strace', '-f', '-y', '-s', '5000', '-o', file, '-e', watch]
  try {
    execFileSync('strace', ['-o', file, 'true'], { stdio: ['ignore', 'ignore', 'pipe'] })
    return { command }
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return { cannot: missing ? 'strace is not installed' : 'strace may not watch a process here' }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has been killed before
  }
}

const serverUnder = (pid: number | undefined): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
