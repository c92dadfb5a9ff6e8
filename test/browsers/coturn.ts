import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { steadyPort } from '../crash/node.ts'
import { emptyFolder, run } from '../support/process.ts'

/** A relay on this machine, which relays to this machine, too. */

export const coturn = (): { there: true } | { cannot: string } =>
  spawnSync('turnserver', ['--version']).error === undefined ? { there: true } : { cannot: 'coturn is not installed' }

/** Many ports, and short lives: what a closed page had by UDP is kept until its time is over. */
const options = [
  ...['-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', '--min-port=49152', '--max-port=65535'],
  ...['--use-auth-secret', '--realm=turn.parley.test', '--allow-loopback-peers', '--no-multicast-peers'],
  ...['--no-tls', '--no-dtls', '--no-cli', '--fingerprint', '--max-allocate-lifetime=120'],
  ...['--log-file=stdout', '--simple-log', '--verbose'],
]

export async function startCoturn(secret: string) {
  const folder = emptyFolder()
  const port = await steadyPort()
  const here = [`--userdb=${join(folder, 'turndb')}`, `--pidfile=${join(folder, 'pid')}`, `--listening-port=${port}`]
  const relay = run('turnserver', [...options, ...here, `--static-auth-secret=${secret}`], folder, {})
  await relay.prints('Total General servers') // which comes when both its listeners are open
  return {
    /** Its address, and a way to it. */
    url: (transport: 'udp' | 'tcp') => `turn:127.0.0.1:${port}?transport=${transport}`,
    log: relay.output,
  }
}
