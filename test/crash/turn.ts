import { createHash, createHmac, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import ipaddr from 'ipaddr.js'
import { whenDone } from '../support/cleanup.ts'

/**
 * As much of STUN (RFC 8489) and TURN (RFC 8656) as it takes to have a relay, over UDP. What is asked is asked again
 * until it is answered, for datagrams get lost: the first question soon, since the server may not be there yet, and the
 * others late, since coturn may refuse the second copy of a request before it has granted the first.
 */

export interface Credentials {
  username: string
  credential: string
}

export type Family = 'IPv4' | 'IPv6'

/** How a request ended: 200, or the code of the error. */
export type Code = number

interface Reply {
  code: Code
  attributes: Map<number, Buffer>
}

/** Some attributes have the id of their own message in them. */
type Attribute = [type: number, value: Buffer | ((id: Buffer) => Buffer)]

const methods = { binding: 0x001, allocate: 0x003, refresh: 0x004, permission: 0x008, channel: 0x009 }
const attributes = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  channel: 0x000c,
  lifetime: 0x000d,
  peer: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  relayed: 0x0016,
  family: 0x0017,
  transport: 0x0019,
  mapped: 0x0020,
}
const transports = { tcp: 6, udp: 17 }
const cookie = Buffer.from([0x21, 0x12, 0xa4, 0x42])
const anHour: Attribute = [attributes.lifetime, Buffer.from([0, 0, 3600 >> 8, 3600 & 255])]

/** Open until the whole file is done: a port that is given out anew is, to the server, the caller that had it before. */
const sockets = new Set<Socket>()
whenDone(() => {
  for (const socket of sockets) socket.close()
})

export type TurnClient = ReturnType<typeof createTurnClient>

/** One socket, which can have one relay. Its address is the one that Parley told: `turn:127.0.0.1:3478?transport=udp`. */
export function createTurnClient(url: string) {
  const [, address = '', port = ''] = /^(?:stun|turn):([^:?]+):(\d+)/.exec(url) ?? []
  const socket = createSocket('udp4')
  const waiting = new Map<string, (reply: Reply) => void>()
  let known: { credentials: Credentials; realm: string; nonce: string } | undefined
  let channels = 0
  sockets.add(socket)

  socket.on('message', message => {
    const id = message.subarray(8, 20)
    waiting.get(id.toString('hex'))?.(read(message, id))
  })

  function exchange(method: number, given: Attribute[], sign?: (message: Buffer) => Buffer): Promise<Reply> {
    const id = randomBytes(12)
    const plain = messageOf(method, id, given)
    const message = sign ? sign(plain) : plain
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearInterval(again)
        clearTimeout(limit)
        waiting.delete(id.toString('hex'))
      }
      const send = () => socket.send(message, Number(port), address)
      const again = setInterval(send, method === methods.binding ? 250 : 3000)
      const limit = setTimeout(() => {
        stop()
        reject(new Error(`Nobody answers at ${url}`))
      }, 20_000)
      waiting.set(id.toString('hex'), reply => {
        stop()
        resolve(reply)
      })
      send()
    })
  }

  /** With a name and a password, when they are known, and with the challenge that the server gave. */
  async function ask(method: number, given: Attribute[], credentials = known?.credentials): Promise<Reply> {
    const reply = known
      ? await exchange(method, [...given, ...named(known)], signed(known))
      : await exchange(method, given)
    const realm = reply.attributes.get(attributes.realm)?.toString()
    const nonce = reply.attributes.get(attributes.nonce)?.toString()
    const isChallenge = (reply.code === 401 && !known) || reply.code === 438
    if (!isChallenge || !credentials || realm === undefined || nonce === undefined) return reply
    known = { credentials, realm, nonce }
    return exchange(method, [...given, ...named(known)], signed(known))
  }

  return {
    /** From where the server sees what this socket sends. */
    async seenAs(): Promise<string | undefined> {
      const reply = await exchange(methods.binding, [])
      return addressIn(reply.attributes.get(attributes.mapped))
    },

    port: () => socket.address().port,

    /** A relay, if they let one have it, with an address of that family. */
    async allocate(credentials?: Credentials, family: Family = 'IPv4', transport: 'udp' | 'tcp' = 'udp') {
      const given: Attribute[] = [
        [attributes.transport, Buffer.from([transports[transport], 0, 0, 0])],
        [attributes.family, Buffer.from([family === 'IPv4' ? 1 : 2, 0, 0, 0])],
        anHour,
      ]
      const { code, attributes: got } = await ask(methods.allocate, given, credentials)
      return { code, relayed: addressIn(got.get(attributes.relayed)), lifetime_s: secondsIn(got) }
    },

    /** For longer, if the relay is still there. */
    async refresh() {
      const { code, attributes: got } = await ask(methods.refresh, [anHour])
      return { code, lifetime_s: secondsIn(got) }
    },

    /** Whether the relay would send to an address, by either of the two ways to ask for it. Nothing is sent. */
    async mayReach(peer: string): Promise<{ permission: Code; channel: Code }> {
      const channel = Buffer.alloc(4)
      channel.writeUInt16BE(0x4000 + channels++)
      const to: Attribute = [attributes.peer, id => xored(peer, 3478, id)]
      const permission = await ask(methods.permission, [to])
      const bound = await ask(methods.channel, [[attributes.channel, channel], to])
      return { permission: permission.code, channel: bound.code }
    },
  }
}

/** The key is made of the password and what the server said; the header counts the signature before it is there. */
const signed =
  ({ credentials: { username, credential }, realm }: { credentials: Credentials; realm: string }) =>
  (message: Buffer): Buffer => {
    const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest()
    message.writeUInt16BE(message.length - 20 + 24, 2)
    return Buffer.concat([message, attributeOf(attributes.integrity, createHmac('sha1', key).update(message).digest())])
  }

const named = (known: { credentials: Credentials; realm: string; nonce: string }): Attribute[] => [
  [attributes.username, Buffer.from(known.credentials.username)],
  [attributes.realm, Buffer.from(known.realm)],
  [attributes.nonce, Buffer.from(known.nonce)],
]

function messageOf(method: number, id: Buffer, given: Attribute[]): Buffer {
  const body = Buffer.concat(
    given.map(([type, value]) => attributeOf(type, typeof value === 'function' ? value(id) : value)),
  )
  const head = Buffer.alloc(4)
  head.writeUInt16BE(method)
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, cookie, id, body])
}

function attributeOf(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(type)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)])
}

function read(message: Buffer, id: Buffer): Reply {
  const found = new Map<number, Buffer>()
  for (let at = 20; at + 4 <= message.length; ) {
    const type = message.readUInt16BE(at)
    const length = message.readUInt16BE(at + 2)
    const value = message.subarray(at + 4, at + 4 + length)
    const isAddress = type === attributes.relayed || type === attributes.mapped
    found.set(type, isAddress ? turned(value, id) : value)
    at += 4 + length + (-length & 3)
  }
  const error = found.get(attributes.error)
  return { code: error ? error.readUInt8(2) * 100 + error.readUInt8(3) : 200, attributes: found }
}

function xored(address: string, port: number, id: Buffer): Buffer {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray())
  const plain = Buffer.concat([Buffer.from([0, bytes.length === 4 ? 1 : 2, 0, 0]), bytes])
  plain.writeUInt16BE(port, 2)
  return turned(plain, id)
}

/** An address and its port are disguised by the cookie and the id, for routers rewrite what they recognize. */
function turned(value: Buffer, id: Buffer): Buffer {
  const mask = Buffer.concat([Buffer.alloc(2), cookie.subarray(0, 2), cookie, id])
  return Buffer.from(value.map((byte, at) => byte ^ (mask[at] ?? 0)))
}

function addressIn(value: Buffer | undefined): string | undefined {
  if (!value) return undefined
  const address = ipaddr.fromByteArray([...value.subarray(4)]).toString()
  return value.readUInt8(1) === 1 ? `${address}:${value.readUInt16BE(2)}` : `[${address}]:${value.readUInt16BE(2)}`
}

const secondsIn = (got: Map<number, Buffer>): number | undefined => got.get(attributes.lifetime)?.readUInt32BE()
