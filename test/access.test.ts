import { describe, expect, it } from 'vitest'
import { createWorld } from './support/world.ts'

/**
 * Who may call what, as one table: the status that each kind of caller gets. A route without a row fails, so nobody can
 * add one without having said who is kept out. Paths name things of the owner's.
 */

type CallerName = 'anonymous' | 'logged_out' | 'stranger' | 'foreigner'
type Row = { [caller in CallerName]: number }

const open = (status: number): Row => ({ anonymous: status, logged_out: status, stranger: status, foreigner: status })
/** Works on what is the caller's own, so a stranger is as good as anybody. */
const own = (status: number): Row => ({ anonymous: 401, logged_out: 401, stranger: status, foreigner: status })
/** Works on what is the owner's, and to everybody else it does not exist. */
const ownersOnly: Row = { anonymous: 401, logged_out: 401, stranger: 404, foreigner: 404 }

const table: { [operation: string]: Row } = {
  'POST /api/auth/register': open(422),
  'POST /api/auth/login': open(422),
  'POST /api/auth/refresh': open(422),
  'POST /api/auth/logout': own(204),
  'GET /api/auth/logins': own(200),
  'DELETE /api/auth/logins/:login_id': ownersOnly,
  'GET /api/auth/me': own(200),
  'PATCH /api/auth/me': own(200),
  'POST /api/auth/password': own(422),
  'GET /health/live': open(200),
  'GET /health/ready': open(200),
  'GET /metrics': open(200), // from this machine; test/http/operations has the others
  'GET /openapi.json': open(200),
  'GET /docs': open(200),
}

const world = await createWorld()
const owner = await world.make.user()
const owned = { login_id: (await owner.get('/api/auth/logins')).body.data[0].id }

describe('the table of who may call what', async () => {
  const foreign_tenant = await world.make.tenant('foreign')
  const operations = world.app.routes.map(({ method, path }) => `${method} ${path}`)

  it('has a row for every route, and for nothing else', () => {
    expect(Object.keys(table).sort()).toEqual(operations.sort())
  })

  it.each(Object.entries(table))('%s', async (operation, row) => {
    const callers = {
      anonymous: world.anyone,
      logged_out: await world.make.user(),
      stranger: await world.make.user(),
      foreigner: await world.make.user({ tenant_id: foreign_tenant }),
    }
    await callers.logged_out.post('/api/auth/logout')
    const [method = '', pattern = ''] = operation.split(' ')
    const path = pattern.replace(/:(\w+)/g, (_, name: keyof typeof owned) => owned[name])
    const body = ['POST', 'PATCH'].includes(method) ? {} : undefined

    const got = {} as Row
    for (const name of Object.keys(callers) as CallerName[]) {
      got[name] = (await callers[name].call(method, path, body)).status
    }
    expect(got).toEqual(row)
    expect((await owner.get('/api/auth/me')).status, 'the owner is untouched').toBe(200)
  })
})
