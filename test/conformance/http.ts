import { get } from 'node:http'
import { Broken } from './verdict.ts'
import type { Problem } from './wire.ts'

/** Plain HTTP, and nothing else, is between the suite and the server. */

export interface Reply<Body> {
  /** Which call it answers, for who reads of it. */
  asked: string
  status: number
  headers: Headers
  body: Body
  /** The same, where it is a refusal. */
  problem: Problem
}

export interface Asking {
  token?: string
  body?: object
  /** Hangs up when it rises. */
  signal?: AbortSignal
}

export async function call<Body>(url: string, method: string, path: string, asking: Asking = {}): Promise<Reply<Body>> {
  const { token, body, signal } = asking
  const asked = `${method} ${path.replace(/\?.*/, '')}`
  const response = await fetch(url + path, {
    method,
    signal,
    headers: { ...authorization(token), 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const { status, headers } = response
  const json = parse(await response.text(), `${asked} is answered ${status}`)
  return { asked, status, headers, body: json, problem: json }
}

type HeaderLines = { [name: string]: string }

const authorization = (token: string | undefined): HeaderLines =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` }

function parse(text: string, asked: string) {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new Broken(`${asked} with what is not JSON: ${text.slice(0, 80)}`)
  }
}

/** Asks, and hangs up in the middle of the answer: once its first bytes are there, and before all of it is. */
export function cutAnswer(url: string, path: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url + path, { headers: authorization(token), agent: false }, response => {
      response.once('data', () => request.destroy())
      response.once('close', resolve)
      response.on('error', () => {}) // of course it breaks off
    })
    request.on('error', error => (request.destroyed ? resolve() : reject(error)))
  })
}

/** A stream of events, as text, until it has brought what is looked for, or it ends. */
export async function readEvents(url: string, path: string, enough: (text: string) => boolean, lastEventId?: string) {
  const stop = new AbortController()
  const patience = setTimeout(() => stop.abort(), 3_000)
  const decoder = new TextDecoder()
  let text = ''
  try {
    const headers: HeaderLines = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
    const response = await fetch(url + path, { headers, signal: stop.signal })
    if (response.status !== 200) throw new Broken(`The stream is answered ${response.status}`)
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      if (enough(text)) break
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    clearTimeout(patience)
    stop.abort()
  }
  return text
}
