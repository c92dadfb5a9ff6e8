import { randomUUID } from 'node:crypto'
import { call } from './http.ts'
import { createInside, type Inside, type Person } from './inside.ts'
import { sleep } from './time.ts'
import { accepted } from './verdict.ts'
import type { Joined } from './wire.ts'

/** Where the server is, and how time passes there. */
export interface Server {
  /** One or more nodes of it. People call at one each, in turn, so that what they tell each other crosses nodes. */
  urls: string[]
  /** For a server in this process whose clock is in our hand. Elsewhere the suite waits. */
  advance?(ms: number): Promise<void>
}

type Name = 'ada' | 'ben' | 'cleo'

/** A meeting, and the way in. */
export interface Meeting {
  id: string
  /** They come in one after the other, each by a connection that is new: its inbox is empty, but for who comes later. */
  enter<const Names extends Name[]>(...names: Names): Promise<{ [i in keyof Names]: Inside }>
}

/** What a promise finds when it is tried. */
export interface Stage extends Meeting {
  urls: string[]
  people: { [name in Name]: Person }
  /** A meeting apart, of the same three people. */
  newMeeting(): Promise<Meeting>
  /** Lets time pass, on the server. */
  pass(ms: number): Promise<void>
}

/** Three accounts and a meeting of Ada's, for the whole run: accounts are few, connections are cheap. */
export async function setStage({ urls, advance = sleep }: Server) {
  const home = (i: number) => urls[i % urls.length] ?? ''
  const [ada, ben, cleo] = await Promise.all([
    register('Ada', home(0)),
    register('Ben', home(1)),
    register('Cleo', home(2)),
  ])
  const people = { ada, ben, cleo }
  const main = await meet()

  /** Ada's, and the others have accepted. */
  async function meet(): Promise<string> {
    const { id } = await create<{ id: string }>(ada, '/api/meetings', { title: 'Conformance' })
    const invitees = [ben, cleo].map(({ user }) => ({ user_id: user }))
    const invited = await create<Invited>(ada, `/api/meetings/${id}/invitations`, { invitees })
    for (const invitation of invited.data) {
      const invitee = invitation.user_id === ben.user ? ben : cleo
      const path = `/api/invitations/${invitation.id}/accept`
      accepted(await call(invitee.home, 'POST', path, { token: invitee.token, body: {} }))
    }
    return id
  }

  return {
    /** For one promise. When it is done everybody leaves, so that the next one finds nobody. */
    async lend<Result>(work: (stage: Stage) => Promise<Result>): Promise<Result> {
      const inside: Inside[] = []

      const meeting = (id: string): Meeting => ({
        id,
        async enter<const Names extends Name[]>(...names: Names) {
          const came: Inside[] = []
          for (const name of names) {
            const joined = await create<Joined>(people[name], `/api/meetings/${id}/join`, {})
            const newcomer = createInside(people[name], id, joined)
            came.push(newcomer)
            inside.push(newcomer)
          }
          return came as { [i in keyof Names]: Inside }
        },
      })

      try {
        const newMeeting = async () => meeting(await meet())
        return await work({ ...meeting(main), urls, people, newMeeting, pass: advance })
      } finally {
        await Promise.allSettled(inside.map(each => each.leave()))
      }
    },
  }
}

interface Invited {
  data: { id: string; user_id: string }[]
}

async function register(name: string, home: string): Promise<Person> {
  const account = { name, email: `${randomUUID()}@conformance.example`, password: randomUUID() }
  const reply = await call<{ user: { id: string }; access_token: string }>(home, 'POST', '/api/auth/register', {
    body: account,
  })
  const { user, access_token } = accepted(reply, 201)
  return { user: user.id, token: access_token, home }
}

async function create<Body>({ home, token }: Person, path: string, body: object): Promise<Body> {
  return accepted(await call<Body>(home, 'POST', path, { token, body }), 201)
}
