import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Parley for the signaling lab, a bench that drives many relays with the same work: `OURS_ADAPTER=…/bench/lab-adapter.mjs
 * node lab.mjs ours` in the lab's folder, after `npm run build` here. Each peer enters a quick room as a guest; a pair
 * shares one. Limits are lifted by settings, and acknowledgements are carried by the next poll.
 *
 * LAB_DATABASE_URL runs it on another engine than SQLite; LAB_SETTINGS may hold further settings, LAB_NODE_ARGUMENTS what
 * Node gets besides what `npm start` gives it (`["--cpu-prof"]`), both as JSON.
 */

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const inTheLab = name => import(pathToFileURL(path.resolve('lib', name)).href)
const { inboxPeer } = await inTheLab('inbox.mjs')
const { waitPort, launch } = await inTheLab('proc.mjs')
const { Lane } = await inTheLab('http.mjs')

const json = 'Content-Type: application/json\r\n'

const api = {
  ackInPoll: true,
  sendPath: () => '/api/rtc/signals',
  sendBody: (me, to, { type, json }) =>
    `{"connection":"${me.connection}","to":{"connection":"${to.connection}"},"type":"${type}","payload":${json}}`,
  batchPath: () => '/api/rtc/signals',
  batchBody: (me, to, messages) =>
    `{"connection":"${me.connection}","signals":[${messages
      .map(({ type, json }) => `{"to":{"connection":"${to.connection}"},"type":"${type}","payload":${json}}`)
      .join(',')}]}`,
  inboxPath: (me, cursor) =>
    `/api/rtc/inbox?connection=${me.connection}&wait=25&limit=100&after=${cursor}&ack=${cursor}`,
  // What the server itself tells, of who came, is no part of the work; it has no key, and is passed over.
  items: ({ signals }) => signals,
  payload: ({ payload }) => (payload.k === undefined ? { k: '0.-1' } : payload),
  itemId: ({ seq }) => seq,
}

export default {
  name: 'ours',
  ack: true,
  batch: true,
  note: 'Parley, SQLite synchronous=FULL, ack carried by the next poll',

  async start({ dir, port, cpuList }) {
    const folder = path.join(dir, 'parley')
    fs.rmSync(folder, { recursive: true, force: true })
    fs.mkdirSync(folder, { recursive: true })
    const env = {
      NODE_ENV: 'production',
      JWT_SECRET: 'a key for a bench: 0123456789abcdef',
      HOST: '127.0.0.1',
      PORT: String(port),
      STORAGE_DIR: folder,
      DATABASE_URL: process.env.LAB_DATABASE_URL ?? '',
      QUICK_ROOMS: 'on',
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      ...JSON.parse(process.env.LAB_SETTINGS ?? '{}'),
    }
    const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
    const asStarted = scripts.start.split(' ').filter(word => word.startsWith('--'))
    const nodeArguments = [...asStarted, ...JSON.parse(process.env.LAB_NODE_ARGUMENTS ?? '[]')]
    const server = launch(process.execPath, [...nodeArguments, path.join(root, 'dist/src/main.js')], {
      env,
      cwd: folder,
      log: path.join(dir, 'parley.log'),
      cpuList,
    })
    await waitPort(port)
    return { host: '127.0.0.1', port, pids: [server.pid], stop: () => server.kill() }
  },

  async connect({ host, port }, i, onKey, options = {}) {
    const lane = new Lane(host, port)
    const entered = await lane.request(
      'POST',
      `/api/rooms/lab-${i >> 1}/enter`,
      JSON.stringify({ display_name: `Peer ${i}` }),
      json,
    )
    lane.close()
    if (entered.status !== 201) throw new Error(`enter: ${entered.status} ${entered.body.slice(0, 200)}`)
    const { connection, participant_token } = JSON.parse(entered.body)
    const head = `Authorization: Bearer ${participant_token}\r\n`
    const mine = { ...api, inboxPath: (_, cursor) => api.inboxPath({ connection: connection.id }, cursor) }
    const peer = await inboxPeer({ host, port, id: connection.id, head, api: mine, onKey, ...options })
    return Object.assign(peer, { connection: connection.id })
  },

  version: async () => `parley, node ${process.version}`,
}
