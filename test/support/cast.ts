import { expect } from 'vitest'
import { linkToken } from '../../src/features/invitations/letters.ts'
import type { Invitation } from '../../src/features/invitations/schema.ts'
import type { Participant } from '../../src/features/meetings/schema.ts'
import { DEFAULT_TENANT } from '../../src/kernel/caller.ts'
import type { Client } from './client.ts'
import { PASSWORD, type Person, type World } from './world.ts'

/** By what they are to one meeting. Who has an account has it for the whole file; guests come with each stage. */
const accountNames = {
  owner: 'Olympia',
  co_host: 'Cosima',
  accepted: 'Adalbert',
  pending: 'Penelope',
  rejected: 'Reginald',
  removed: 'Remigius',
  stranger: 'Stanislaus',
  foreigner: 'Philomena',
}
const guestNames = { waiting: 'Walburga', guest: 'Gunther' }
export const names = { ...accountNames, ...guestNames }

type Bearer = Pick<Person, 'tokens'> | { token: string }
type AccountName = keyof typeof accountNames
export type CallerName = keyof typeof names | 'anonymous'

export type Cast = Awaited<ReturnType<typeof createCast>>
export type Stage = Awaited<ReturnType<Cast['stage']>>

/** Everybody who might call, in every relation to a meeting that one can have. */
export async function createCast(world: World) {
  const foreign = await world.make.tenant('foreign')
  const tenantOf = (name: AccountName) => (name === 'foreigner' ? foreign : DEFAULT_TENANT)
  const accounts = await each(name => world.make.user({ name: names[name], tenant_id: tenantOf(name) }))
  await world.make.meeting({ title: 'Elsewhere' }, accounts.foreigner)
  const { owner, co_host, accepted, pending, rejected, removed } = accounts

  async function each(make: (name: AccountName) => Promise<Person>): Promise<{ [name in AccountName]: Person }> {
    const made = Object.keys(accountNames).map(async name => [name, await make(name as AccountName)])
    return Object.fromEntries(await Promise.all(made))
  }

  /** Setting a stage takes twenty calls, and a table many stages: so by the shortest way, and each has its own tests. */
  function call(by: Bearer, path: string, request: RequestInit) {
    const Authorization = `Bearer ${'tokens' in by ? by.tokens.access_token : by.token}`
    return fetch(world.origin + path, { ...request, headers: { Authorization, 'Content-Type': 'application/json' } })
  }

  async function post(by: Bearer, path: string, body: object = {}) {
    const reply = await call(by, path, { method: 'POST', body: JSON.stringify(body) })
    const answer = await reply.text()
    expect(reply.status, answer).toBeLessThan(300)
    return JSON.parse(answer)
  }

  const read = async (by: Bearer, path: string) => (await call(by, path, {})).text()

  return {
    /**
     * A new meeting with all of them about it. Live, with its owner and a guest inside and somebody removed who was
     * inside; or planned for a time, when nobody can be inside yet. The invitation and the link are not of the same
     * person: the first is `pending`'s, the second went to an address without an account.
     */
    async stage(body: { scheduled_at?: string } = {}) {
      const held = await world.make.meeting({ title: 'The stage', ...body }, owner)
      const { meeting, at } = held
      const live = meeting.status === 'live'
      const invited: { data: Invitation[] } = await post(owner, at('/invitations'), {
        invitees: [
          { user_id: co_host.user.id, role: 'co_host' },
          ...[accepted, pending, rejected, removed].map(({ user }) => ({ user_id: user.id })),
          { email: 'no-account@example.com' },
        ],
      })
      const invitationOf = (person?: Person) =>
        invited.data.find(({ user_id }) => user_id === (person?.user.id ?? null))?.id ?? ''
      const knock = (name: keyof typeof guestNames) => world.make.guest(held, names[name])
      const [waiting, guest] = await Promise.all([
        knock('waiting'),
        knock('guest'),
        ...[co_host, accepted, removed].map(person => post(person, `/api/invitations/${invitationOf(person)}/accept`)),
        post(rejected, `/api/invitations/${invitationOf(rejected)}/reject`),
      ])
      await post(owner, at(`/participants/${guest.participant.id}/admit`))
      if (live) await Promise.all([owner, guest, removed].map(person => post(person, at('/join'))))

      const people: { data: Participant[] } = JSON.parse(await read(owner, at('/participants?limit=100')))
      const idOf = (name?: CallerName) =>
        people.data.find(({ display_name }) => name && name !== 'anonymous' && display_name === names[name])?.id ?? ''
      await post(owner, at(`/participants/${idOf('removed')}/remove`))

      const as: { [name in CallerName]: Client } = { anonymous: world.anyone, ...accounts, waiting, guest }
      return {
        as,
        at,
        idOf,
        meeting,
        participant_ids: people.data.map(({ id }) => id),
        invitation_id: invitationOf(pending),
        link: linkToken(world.key, { id: invitationOf(), times_sent: 1 }),
        /** All that the owner sees of it, to tell whether anything has changed. */
        async view(): Promise<string> {
          const lists = ['/participants', '/invitations', '/attendance'].map(list => at(`${list}?limit=100`))
          return (await Promise.all([at(), ...lists].map(path => read(owner, path)))).join('\n')
        },
      }
    },

    /** Another login of each of them. */
    logIn: () =>
      each(async name => {
        const login = { email: accounts[name].user.email, password: PASSWORD }
        const from = { network: 'test', user_agent: 'test' }
        return world.make.caller(await world.app.accounts.logIn(tenantOf(name), login, from))
      }),
  }
}
