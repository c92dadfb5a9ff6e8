import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '../../src/http/server.ts'
import { whenDone } from '../support/cleanup.ts'

/** Somebody who speaks the chat API of OpenAI, and says what a test wants them to say. */

export interface Asked {
  path: string | undefined
  headers: IncomingMessage['headers']
  // biome-ignore lint/suspicious/noExplicitAny: whatever has been asked
  body: any
}

type Answer = (response: ServerResponse, asked: Asked) => unknown

export async function startFake() {
  const asked: Asked[] = []
  const held = new Set<ServerResponse>()
  const script: Answer[] = []
  let usual: Answer = response => response.writeHead(500).end('nobody said what to answer')

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const call = { path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) }
    asked.push(call)
    const answer = script.shift() ?? usual
    await answer(response, call)
  })
  const { port } = await listen(server, 0, '127.0.0.1')
  whenDone(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    /** Those who have been asked something, and not answered yet. */
    held,
    hold: (response: ServerResponse) => void held.add(response),
    answerNext: (...answers: Answer[]) => void script.push(...answers),
    answerAlways(answer: Answer): void {
      usual = answer
    },
  }
}

export const says =
  (content: unknown): Answer =>
  response => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }] }))
  }

export const refuses =
  (status: number, headers: { [name: string]: string } = {}, text = 'words from upstream'): Answer =>
  response =>
    response.writeHead(status, headers).end(text)
