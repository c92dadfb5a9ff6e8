import { createHash, randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { onSqlite } from './databases.ts'
import { holdMeeting } from './host.ts'
import { createNode, steadyPort } from './node.ts'

const MIB = 1024 * 1024
const chunks = 200
const atOnce = 4
const mostAboveIdle = 150 * MIB

it('200 MB that come in disorder, some twice, through a kill -9, are the same bytes, and never all in memory', async () => {
  const node = createNode({ DATABASE_URL: (await onSqlite()).url, port: await steadyPort() })
  await node.start()
  const host = await holdMeeting(node.origin)
  const source = randomFillSync(Buffer.allocUnsafe(chunks * MIB))
  const chunk = (n: number) => source.subarray(n * MIB, (n + 1) * MIB)
  const order = shuffled([...Array(chunks).keys(), ...shuffled([...Array(chunks).keys()]).slice(0, chunks / 10)])
  const peaks: number[] = []
  let idle = memoryOf(node.pid, 'VmRSS')
  const peak = () => peaks.push(memoryOf(node.pid, 'VmHWM') - idle)

  let answered = 0
  let cut = 0
  let killed: Promise<void> | undefined
  async function killInTheMiddle(): Promise<void> {
    peak()
    await node.kill()
    await node.start()
    await host.call('GET', `/api/recordings/${host.recording}`)
    idle = memoryOf(node.pid, 'VmRSS')
  }
  async function upload(): Promise<void> {
    for (let n = order.shift(); n !== undefined; n = order.shift()) {
      for (;;) {
        const status = await host.put(n, chunk(n)).catch(() => 'cut' as const)
        if (status === 204) break
        expect(status, 'a chunk was refused').toBe('cut')
        cut++
        await pause(20)
      }
      if (++answered === chunks / 2) killed = killInTheMiddle()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, upload))
  await killed
  const stopped = await host.stop(chunks)
  expect(stopped.body).toMatchObject({ status: 'ready', bytes: source.length, sha256: sha256(source) })
  peak()

  const sum = createHash('sha256')
  for await (const part of (await host.download()).body ?? []) sum.update(part)
  expect(sum.digest('hex')).toBe(sha256(source))
  peak()
  console.log(
    `${cut} requests were cut off; memory above idle, at its peaks: ${peaks.map(each => `${Math.round(each / MIB)} MiB`)}`,
  )
  expect(cut, 'it was killed while nobody was sending').toBeGreaterThan(0)
  expect(Math.max(...peaks)).toBeLessThan(mostAboveIdle)
  await node.kill()
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** From the kernel's own count. */
function memoryOf(pid: number | undefined, what: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

function shuffled<Item>(items: Item[]): Item[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
