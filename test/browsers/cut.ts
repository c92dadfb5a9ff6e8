import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../../src/http/server.ts'

/** A cable to a server, which can be pulled: nothing passes either way, and nobody is told. */
export async function cableTo(origin: string) {
  const { hostname, port } = new URL(origin)
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      if (cut) from.pause()
      from.on('data', bytes => to.write(bytes))
      from.on('error', () => to.destroy()) // whoever is on the other end sees it, too
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  const { port: mine } = await listen(server as never, 0, '127.0.0.1')
  return {
    origin: `http://127.0.0.1:${mine}`,
    pull() {
      cut = true
      for (const socket of sockets) socket.pause()
    },
    /** What was on its way is lost, as it is when somebody comes back with another address. */
    plug() {
      cut = false
      for (const socket of sockets) socket.resetAndDestroy()
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
