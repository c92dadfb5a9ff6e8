/** People with an account, and what they do without a browser. */

export const password = 'correct horse battery'
let people = 0
/** One that nobody else has. */
export const newAddress = (name = 'person'): string =>
  `${name.toLowerCase().split(/\W+/).filter(Boolean).join('.')}.${++people}@example.com`

export type Account = Awaited<ReturnType<ReturnType<typeof accountsAt>['register']>>

export function accountsAt(origin: string) {
  return {
    call,
    async register(name: string) {
      const email = newAddress(name)
      const tokens = await call(undefined, 'POST', '/auth/register', { email, name, password })
      const token: string = tokens.access_token
      return {
        name,
        email,
        password,
        token,
        /** What makes any page of a browser theirs. */
        script: `localStorage.setItem('parley.login', ${JSON.stringify(
          JSON.stringify({ ...tokens, fresh_until: Date.now() + 600_000 }),
        )})`,
        call: (method: string, path: string, body?: object) => call(token, method, path, body),
        async put(path: string, bytes: Uint8Array, type: string): Promise<void> {
          const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type }
          const reply = await fetch(`${origin}/api${path}`, { method: 'PUT', headers, body: bytes as never })
          if (!reply.ok) throw new Error(await reply.text())
        },
        async download(path: string): Promise<Buffer> {
          const reply = await fetch(`${origin}/api${path}`, { headers: { Authorization: `Bearer ${token}` } })
          if (!reply.ok) throw new Error(await reply.text())
          return Buffer.from(await reply.arrayBuffer())
        },
      }
    },
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever is answered
  async function call(token: string | undefined, method: string, path: string, body?: object): Promise<any> {
    const headers = {
      ...(body ? { 'Content-Type': 'application/json' } : {}),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    }
    const reply = await fetch(`${origin}/api${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${method} ${path}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
}
