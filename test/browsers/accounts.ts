/** People with an account, and what they do without a browser. */

export const password = 'correct horse battery'
let people = 0

export function accountsAt(origin: string) {
  return {
    async register(name: string) {
      const email = `${name.replace(/\W+/g, '.').toLowerCase()}.${++people}@example.com`
      const tokens = await call(undefined, 'POST', '/auth/register', { email, name, password })
      const token: string = tokens.access_token
      return {
        name,
        email,
        password,
        token,
        call: (method: string, path: string, body?: object) => call(token, method, path, body),
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
