import { setTimeout as pause } from 'node:timers/promises'
import type { z } from 'zod'
import type { Entered } from '../../src/features/presence/schema.ts'

/** How a client calls that takes servers for mortal: an answer counts once it has come whole, and not before. */

export type Wire = ReturnType<typeof createWire>

interface Options {
  /** Of several nodes, any one may be called. */
  originOf(): string
  /** What a node answers that wants to be asked again; any other refusal is a fault. */
  again?: number[]
  /** Where in its history the server is, for messages. */
  when(): string
}

export interface Person {
  token: string
  connection: string
}

const longest_ms = 40_000

export function createWire({ originOf, again = [], when }: Options) {
  const counts = { answered: 0, cut: 0, again: 0 }
  const waiting: (() => void)[] = []

  /** Undefined where there was no answer, or none that says what became of it: ask again. */
  async function ask<Reply>(token: string | undefined, path: string, body?: object): Promise<Reply | undefined> {
    const method = body ? 'POST' : 'GET'
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
    const request = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(longest_ms) }
    let status: number
    let text: string
    try {
      const reply = await fetch(`${originOf()}/api${path}`, request)
      status = reply.status
      text = await reply.text()
    } catch (error) {
      if (request.signal.aborted) throw new Error(`${method} ${path} had no answer in ${longest_ms} ms, ${when()}`)
      if (!(error instanceof TypeError)) throw error
      counts.cut++
      await pause(50)
      return undefined
    }
    if (again.includes(status)) {
      counts.again++
      await pause(20)
      return undefined
    }
    if (status >= 300) throw new Error(`${method} ${path} was answered ${status}, ${when()}: ${text}`)
    counts.answered++
    for (const tell of waiting.splice(0)) tell()
    return JSON.parse(text)
  }

  return {
    ask,
    counts,
    when,

    /** Resolves with the next answer to anybody. */
    isAnswered: () => new Promise<void>(resolve => waiting.push(resolve)),

    /** As somebody new, or with one more device of somebody who is there. */
    async enter(room: string, display_name: string, as?: Person): Promise<Person> {
      const entered = await ask<z.infer<typeof Entered>>(as?.token, `/rooms/${room}/enter`, { display_name })
      const token = as?.token ?? entered?.participant_token
      if (!entered || !token) throw new Error(`${display_name} could not enter`)
      return { token, connection: entered.connection.id }
    },
  }
}
