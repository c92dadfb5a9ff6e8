import { parseArgs } from 'node:util'
import { judge, reasonOf, type Verdict } from './suite.ts'

/** `npm run conformance -- --url http://127.0.0.1:3000`: tries the promises of the inbox on a server that is running. */

const usage = `Tries every promise of the inbox on a running server, over HTTP alone.

  npm run conformance -- --url http://host:port [--url http://second-node] [--only text]

  --url   The server. Say it again for each further node of it: then what is sent at one is read at another.
  --only  Just the promises, or the chapter, that have this text in their name.

It registers three accounts and needs nothing else of the server. It ends with 1 if a promise is broken.`

const began = performance.now()

try {
  const { url: urls, only } = readArguments()
  const counts = { pass: 0, FAIL: 0, 'not run': 0 }
  let chapter = ''
  for await (const verdict of judge({ urls, only })) {
    if (verdict.chapter !== chapter) console.log(`\n${verdict.chapter}`)
    chapter = verdict.chapter
    console.log(lineOf(verdict))
    counts[verdict.outcome]++
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`\n${counts.pass} kept, ${counts.FAIL} broken, ${counts['not run']} not run, in ${seconds} s`)
  process.exitCode = counts.FAIL > 0 ? 1 : 0
} catch (error) {
  console.error(`The promises could not be tried: ${reasonOf(error)}`)
  process.exitCode = 1
}

function lineOf({ sentence, outcome, why }: Verdict): string {
  const line = `  ${outcome.padEnd(7)}  ${sentence}`
  return why === undefined ? line : `${line}\n           → ${why}`
}

function readArguments() {
  const { values } = parseArgs({
    options: { url: { type: 'string', multiple: true }, only: { type: 'string' }, help: { type: 'boolean' } },
  })
  const { url = [], only, help } = values
  if (help || url.length === 0) {
    console.log(usage)
    process.exit(help ? 0 : 1)
  }
  return { url: url.map(text => new URL(text).href.replace(/\/+$/, '')), only }
}
