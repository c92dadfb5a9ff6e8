import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'

/** From where and with what a call came. */
export interface Client {
  /** What limits count by: the IPv4 address, or the /64 network that one IPv6 customer has to itself. */
  network: string
  /** The caller is on this machine, and no proxy stands between. */
  loopback: boolean
  user_agent: string
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/**
 * Reads who is calling. `X-Forwarded-For` counts only as far as trusted proxies wrote it: from the right, up to the
 * first address that is not one of them. Whoever else sends it gains nothing.
 */
export function createClients(trustedProxies: string[]) {
  const trusted = trustedProxies.map(entry =>
    ipaddr.parseCIDR(entry.includes('/') ? entry : `${entry}/${entry.includes(':') ? 128 : 32}`),
  )
  const isTrusted = (address: Address) =>
    trusted.some(network => network[0].kind() === address.kind() && address.match(network))

  function addressOf(request: IncomingMessage): Address {
    let address = ipaddr.process(request.socket.remoteAddress ?? '0.0.0.0')
    if (trusted.length === 0) return address
    const hops = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    while (isTrusted(address)) {
      const hop = withoutPort(hops.pop()?.trim() ?? '')
      if (!ipaddr.isValid(hop)) break
      address = ipaddr.process(hop)
    }
    return address
  }

  /** Worked out when asked for: most requests never need it. */
  return (request: IncomingMessage): Client => ({
    get network() {
      return networkOf(addressOf(request))
    },
    get loopback() {
      const proxied = 'x-forwarded-for' in request.headers || 'forwarded' in request.headers
      return !proxied && ipaddr.process(request.socket.remoteAddress ?? '0.0.0.0').range() === 'loopback'
    },
    get user_agent() {
      return request.headers['user-agent'] ?? ''
    },
  })
}

/** Some proxies add the port: `198.51.100.7:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (hop: string): string =>
  /^\[(.+)\](:\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop

function networkOf(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map(part => part.toString(16))
    .join(':')}::/64`
}
