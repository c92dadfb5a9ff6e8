import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { Unavailable } from '../../kernel/problem.ts'

export type Passwords = ReturnType<typeof createPasswords>

/** OWASP's choice of argon2id; one hash takes about 30 ms of one core. */
const parameters = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const

const slots = 2
const longestQueue = 100

/**
 * Hashes and checks passwords, two at a time: a hash occupies one of the four threads that SQLite's queries need as
 * well. Beyond a hundred who wait, the honest answer is that the server is busy.
 */
export function createPasswords() {
  const atGate = createGate()
  const decoy = decoyHash()

  return {
    hash: (password: string): Promise<string> => atGate(() => argon2.hash(password, parameters)),

    /** False after the same work, too, when there is no hash to compare with. */
    async matches(hash: string | undefined, password: string): Promise<boolean> {
      const same = await atGate(() => argon2.verify(hash ?? decoy, password))
      return same && hash !== undefined
    },
  }
}

/**
 * Compared with when there is no such account, so that its absence cannot be told by the time of the answer. Made of
 * chance instead of a password: it costs as much to check, and nothing to make.
 */
function decoyHash(): string {
  const { memoryCost, timeCost, parallelism } = parameters
  const chance = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${chance(16)}$${chance(32)}`
}

function createGate() {
  const queue: (() => void)[] = []
  let running = 0

  return async function pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (queue.length >= longestQueue) throw Unavailable({ retry_after_s: 2 })
    if (running < slots) running++
    else await new Promise<void>(enter => queue.push(enter)) // whoever leaves hands over their slot
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
