import { connect } from 'node:net'

/** Sends bytes as they are, for what no HTTP client would send, and reads until the server has answered or closed. */
export function sendRaw(origin: string, ...parts: (string | Buffer)[]): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    const settle = () => {
      socket.destroy()
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text })
    }
    socket.on('error', error => (text ? settle() : reject(error)))
    socket.on('close', settle)
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
      if (rest.join('\r\n\r\n').length >= length) settle()
    })
    for (const part of parts) socket.write(part)
  })
}
