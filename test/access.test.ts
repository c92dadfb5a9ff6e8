import type { Response } from 'supertest'
import { describe, expect, it } from 'vitest'
import { type CallerName, createCast, names, type Stage } from './support/cast.ts'
import { createWorld } from './support/world.ts'

/**
 * Who may call what, as one table: the status that each caller gets from each route. A route without a row fails, so
 * nobody can add one without having said who is kept out.
 *
 * The rule behind it: to whom a meeting is none of their business, it does not exist; who belongs to it is told that
 * they may not. And whoever is refused has changed nothing.
 */

const world = await createWorld()
const cast = await createCast(world)

/** What there is to call about, and how it came to be so. */
type Setting = () => Promise<Stage & { login_id?: string; connection?: Connection; recording_id?: string }>
interface Connection {
  id: string
  resume_token: string
}

const live: Setting = () => cast.stage()
const planned: Setting = () => cast.stage({ scheduled_at: world.clock.in(86_400) })
const locked: Setting = async () => {
  const stage = await live()
  await stage.as.owner.post(stage.at('/lock'))
  return stage
}
const banned: Setting = async () => {
  const stage = await live()
  await stage.as.owner.post(stage.at(`/participants/${stage.idOf('removed')}/remove`), { ban: true })
  return stage
}
const proposed: Setting = async () => {
  const stage = await planned()
  await stage.as.pending.post(`/api/invitations/${stage.invitation_id}/propose`, anotherTime)
  return stage
}
/** Everybody calls with a second login; the one that is called about is the owner's. */
const loggedInTwice: Setting = async () => {
  const stage = await live()
  const again = await cast.logIn()
  const logins = () => stage.as.owner.get('/api/auth/logins?limit=100')
  const [latest] = (await logins()).body.data
  const view = async () => `${await stage.view()}\n${(await logins()).text}`
  return { ...stage, as: { ...stage.as, ...again }, login_id: latest.id, view }
}

/** All that is in the inboxes of the meeting is a part of what may have changed. */
const connected: Setting = async () => {
  const stage = await live()
  const { connection } = (await stage.as.owner.post(stage.at('/join'))).body
  const inboxes = async () => {
    const ids = world.db('rtc_connections').where({ meeting_id: stage.meeting.id }).select('id')
    return JSON.stringify(await world.db('rtc_signals').whereIn('connection_id', ids).orderBy(['connection_id', 'seq']))
  }
  return { ...stage, connection, view: async () => `${await stage.view()}\n${await inboxes()}` }
}

/** There are notes, and who changes them is seen. */
const noted: Setting = async () => {
  const stage = await live()
  await stage.as.owner.post(stage.at('/notes'))
  const view = async () => `${await stage.view()}\n${(await stage.as.owner.get(stage.at('/notes?all=1'))).text}`
  return { ...stage, view }
}

/** What was recorded, and is there: of a session in which the owner and the guest are. It is shared, or is not. */
const recordedAs =
  (visibility: string): Setting =>
  async () => {
    const stage = await live()
    const { id } = (await stage.as.owner.post(stage.at('/recordings'))).body
    await stage.as.owner.post(`/api/recordings/${id}/stop`)
    await stage.as.owner.patch(`/api/recordings/${id}`, { visibility })
    const rows = async () => JSON.stringify(await world.db('recordings').where({ id }))
    const links = async () => JSON.stringify(await world.db('recording_links').where({ recording_id: id }))
    return { ...stage, recording_id: id, view: async () => `${await stage.view()}\n${await rows()}\n${await links()}` }
  }
const recorded = recordedAs('hosts')
const shared = recordedAs('participants')
const recording: Setting = async () => {
  const stage = await live()
  const { id } = (await stage.as.owner.post(stage.at('/recordings'), { source: 'upload' })).body
  return { ...stage, recording_id: id }
}

type Gets = { [caller in CallerName]: number }

const accounts = (status: number) =>
  ({ owner: status, co_host: status, accepted: status, pending: status, rejected: status, removed: status }) as const
const guests = (status: number) => ({ waiting: status, guest: status })
const outsiders = (status: number) => ({ stranger: status, foreigner: status })

const everybody = (status: number): Gets => ({
  anonymous: status,
  ...accounts(status),
  ...guests(status),
  ...outsiders(status),
})
/** Is about what is the caller's own, so one account is as good as another. */
const own = (status: number): Gets => ({ ...everybody(status), anonymous: 401, ...guests(403) })
/** Nobody, of those who are told so. */
const nobody: Gets = { anonymous: 401, ...accounts(403), ...guests(403), ...outsiders(404) }
const ownersOnly = (status: number): Gets => ({ ...nobody, owner: status })
const hostsOnly = (status: number): Gets => ({ ...ownersOnly(status), co_host: status })
/** All but who has just knocked; whoever was removed is still invited. */
const peopleOfTheMeeting = (status: number): Gets => ({ ...nobody, ...accounts(status), guest: status })
/** Hosts, and who was in the session; but not who was shown out of it. */
const whoWasThere = (status: number): Gets => ({ ...hostsOnly(status), guest: status })
/** An invitation is between who is invited, here `pending`, and the hosts; to the other invited it does not exist. */
const notTheirs = { accepted: 404, rejected: 404, removed: 404 }
const invitedOnly = (status: number): Gets => ({ ...nobody, ...notTheirs, pending: status })
/** Of the owner's connection: to everybody else, hosts or not, there is no such thing. */
const whoseConnectionItIs = (status: number): Gets => ({ ...everybody(404), anonymous: 401, owner: status })

const anotherTime = { scheduled_at: world.clock.in(2 * 86_400) }
const title = 'Another title'

interface Row {
  gets: Gets
  /** The live meeting, if left out. */
  on?: Setting
  /** Whose participant the path names. */
  whom?: CallerName
  send?: object | ((connection: Connection, stage: Stage) => object)
}

const ofOwner = ({ id }: Connection) => ({ connection: id })

const table: { [operation: string]: Row } = {
  // An empty body is not valid; that it was looked at at all is what counts here.
  'POST /api/auth/register': { gets: everybody(422) },
  'POST /api/auth/login': { gets: everybody(422) },
  'POST /api/auth/refresh': { gets: everybody(422) },
  'POST /api/auth/password': { gets: own(422) },
  'POST /api/auth/logout': { gets: own(204), on: loggedInTwice },
  'GET /api/auth/logins': { gets: own(200) },
  'DELETE /api/auth/logins/:login_id': { gets: { ...own(404), owner: 204 }, on: loggedInTwice },
  'GET /api/auth/me': { gets: own(200) },
  'PATCH /api/auth/me': { gets: own(200) },

  'POST /api/meetings': { gets: own(201), send: { title } },
  'GET /api/meetings': { gets: own(200) },
  'GET /api/meetings/:meeting_id': { gets: peopleOfTheMeeting(200) },
  'PATCH /api/meetings/:meeting_id': { gets: ownersOnly(200), send: { title } },
  'DELETE /api/meetings/:meeting_id': { gets: ownersOnly(204) },
  'GET /api/meetings/:meeting_id/occurrences': { gets: peopleOfTheMeeting(200) },
  'GET /api/meetings/:meeting_id/calendar.ics': { gets: peopleOfTheMeeting(200) },
  'POST /api/meetings/:meeting_id/cancel': { gets: ownersOnly(200), on: planned },
  'POST /api/meetings/:meeting_id/lock': { gets: hostsOnly(200) },
  'POST /api/meetings/:meeting_id/unlock': { gets: hostsOnly(200), on: locked },
  'POST /api/meetings/:meeting_id/start': { gets: hostsOnly(200), on: planned },
  'POST /api/meetings/:meeting_id/end': { gets: hostsOnly(200) },

  'POST /api/meetings/:meeting_id/invitations': {
    gets: hostsOnly(201),
    send: { invitees: [{ email: 'somebody@example.com' }] },
  },
  'GET /api/meetings/:meeting_id/invitations': { gets: hostsOnly(200) },
  'GET /api/invitations': { gets: own(200) },
  'GET /api/invitations/:invitation_id': { gets: { ...hostsOnly(200), ...notTheirs, pending: 200 } },
  'DELETE /api/invitations/:invitation_id': { gets: { ...hostsOnly(204), ...notTheirs } },
  'POST /api/invitations/:invitation_id/accept': { gets: invitedOnly(200) },
  'POST /api/invitations/:invitation_id/reject': { gets: invitedOnly(200) },
  'POST /api/invitations/:invitation_id/propose': { gets: invitedOnly(200), on: planned, send: anotherTime },
  'POST /api/invitations/:invitation_id/proposal/accept': { gets: { ...ownersOnly(200), ...notTheirs }, on: proposed },
  'POST /api/invitations/:invitation_id/proposal/decline': { gets: { ...ownersOnly(200), ...notTheirs }, on: proposed },

  // Who has the link has read the mail, and needs to be nobody in particular.
  'GET /api/invitations/link/:token': { gets: everybody(200) },
  // With an account it becomes that account's, unless they are in the meeting by other means.
  'POST /api/invitations/link/:token/accept': { gets: { ...everybody(200), ...accounts(409) } },
  'POST /api/invitations/link/:token/reject': { gets: everybody(200) },
  'POST /api/invitations/link/:token/propose': { gets: everybody(200), on: planned, send: anotherTime },

  // So it is with the code, which is for knocking, and with the name of a quick room, which is for entering.
  'GET /api/join/:join_code': { gets: everybody(200) },
  'POST /api/join/:join_code': { gets: everybody(202), send: { display_name: 'Knocking' } },
  'POST /api/rooms/:name/enter': { gets: everybody(201), send: { display_name: 'Entering' } },

  'POST /api/meetings/:meeting_id/join': {
    gets: { ...peopleOfTheMeeting(201), pending: 403, rejected: 403, waiting: 202, removed: 202 },
  },
  // Who belongs to a meeting but is not inside has nothing to leave; who was shown out is told how they went.
  'POST /api/meetings/:meeting_id/leave': {
    gets: { ...nobody, ...accounts(409), ...guests(200), owner: 200, removed: 200 },
  },
  'POST /api/meetings/:meeting_id/heartbeat': {
    gets: { ...nobody, ...accounts(409), ...guests(200), owner: 200, removed: 410 },
  },
  'GET /api/meetings/:meeting_id/participants': { gets: { ...hostsOnly(200), guest: 200 } },
  'GET /api/meetings/:meeting_id/attendance': { gets: hostsOnly(200) },

  // About oneself, where that would be tempting.
  'POST /api/meetings/:meeting_id/participants/:participant_id/admit': { gets: hostsOnly(200), whom: 'waiting' },
  'POST /api/meetings/:meeting_id/participants/:participant_id/deny': { gets: hostsOnly(200), whom: 'waiting' },
  'POST /api/meetings/:meeting_id/participants/:participant_id/remove': { gets: hostsOnly(200), whom: 'guest' },
  'POST /api/meetings/:meeting_id/participants/:participant_id/unban': {
    gets: hostsOnly(200),
    on: banned,
    whom: 'removed',
  },
  'POST /api/meetings/:meeting_id/participants/:participant_id/role': {
    gets: hostsOnly(200),
    whom: 'accepted',
    send: { role: 'co_host' },
  },
  'POST /api/meetings/:meeting_id/lobby/admit-all': { gets: hostsOnly(200) },

  'POST /api/rtc/signals': {
    gets: whoseConnectionItIs(200),
    on: connected,
    send: ({ id }, { idOf }) => ({ connection: id, to: { participant: idOf('guest') }, type: 'custom.hi', payload: 1 }),
  },
  'GET /api/rtc/inbox': { gets: whoseConnectionItIs(200), on: connected, send: ofOwner },
  'POST /api/rtc/ack': {
    gets: whoseConnectionItIs(200),
    on: connected,
    send: ({ id }) => ({ connection: id, up_to: 0 }),
  },
  // With the right token: it is good for nobody else.
  'POST /api/rtc/resume': {
    gets: whoseConnectionItIs(200),
    on: connected,
    send: ({ id, resume_token }) => ({ connection: id, resume_token, cursor: 0 }),
  },
  'POST /api/rtc/tickets': { gets: whoseConnectionItIs(201), on: connected, send: ofOwner },
  'GET /api/rtc/ice-servers': { gets: whoseConnectionItIs(200), on: connected, send: ofOwner },
  // A ticket is all that counts there, and nobody has one.
  'GET /api/rtc/stream': {
    gets: everybody(401),
    on: connected,
    send: ({ id }) => ({ connection: id, ticket: 'made-up' }),
  },
  'GET /api/rtc/ws': { gets: everybody(400), on: connected, send: ({ id }) => ({ connection: id, ticket: 'made-up' }) },

  'POST /api/meetings/:meeting_id/messages': {
    gets: { ...nobody, ...accounts(409), ...guests(409), owner: 201, guest: 201 },
    send: { text: 'Hello' },
  },
  'GET /api/meetings/:meeting_id/messages': { gets: whoWasThere(200) },
  'POST /api/meetings/:meeting_id/transcript': {
    gets: whoWasThere(200),
    send: { segments: [{ start_ms: 0, end_ms: 900, text: 'Hello' }] },
  },
  'GET /api/meetings/:meeting_id/transcript': { gets: whoWasThere(200) },
  'POST /api/meetings/:meeting_id/notes': { gets: hostsOnly(201) },
  'GET /api/meetings/:meeting_id/notes': { gets: whoWasThere(200), on: noted },
  'GET /api/meetings/:meeting_id/notes/:version': { gets: whoWasThere(200), on: noted },
  'PATCH /api/meetings/:meeting_id/notes/:version': {
    gets: hostsOnly(200),
    on: noted,
    send: { summary: 'In short' },
  },

  // The co-host finds that the owner has begun.
  'POST /api/meetings/:meeting_id/recordings': { gets: { ...hostsOnly(201), co_host: 409 } },
  'GET /api/meetings/:meeting_id/recordings': { gets: peopleOfTheMeeting(200), on: shared },
  'PUT /api/recordings/:recording_id/chunks/:number': { gets: hostsOnly(204), on: recording },
  'POST /api/recordings/:recording_id/stop': { gets: hostsOnly(200), on: recorded },
  'GET /api/recordings/:recording_id': {
    gets: { ...nobody, ...accounts(404), owner: 200, co_host: 200, guest: 200 },
    on: shared,
  },
  'PATCH /api/recordings/:recording_id': { gets: hostsOnly(200), on: recorded, send: { visibility: 'participants' } },
  'DELETE /api/recordings/:recording_id': { gets: { ...hostsOnly(204), co_host: 204 }, on: recorded },
  'GET /api/recordings/:recording_id/download': {
    gets: { ...nobody, ...accounts(404), owner: 200, co_host: 200, guest: 404 },
    on: recorded,
  },
  'POST /api/recordings/:recording_id/links': { gets: hostsOnly(201), on: recorded },
  'DELETE /api/recordings/:recording_id/links': { gets: hostsOnly(204), on: recorded },

  'GET /health/live': { gets: everybody(200) },
  'GET /health/ready': { gets: everybody(200) },
  'GET /metrics': { gets: everybody(200) }, // from this machine; test/http/operations has the others
  'GET /openapi.json': { gets: everybody(200) },
  'GET /docs': { gets: everybody(200) },
}

/** What these tell of is not the meeting: the API as such, and a room of the caller's own. */
const elsewhere = ['GET /openapi.json', 'GET /docs', 'POST /api/rooms/:name/enter']

const callers = Object.keys(nobody) as CallerName[]
let rooms = 0

function call(operation: string, stage: Awaited<ReturnType<Setting>>, name: CallerName): Promise<Response> {
  const [method = '', pattern = ''] = operation.split(' ')
  const { whom, send = {} } = table[operation] ?? {}
  const said = typeof send === 'function' ? send(stage.connection ?? madeUp, stage) : send
  const named: { [parameter: string]: string | undefined } = {
    meeting_id: stage.meeting.id,
    join_code: stage.meeting.join_code,
    invitation_id: stage.invitation_id,
    token: stage.link,
    participant_id: stage.idOf(whom),
    login_id: stage.login_id,
    version: '1',
    recording_id: stage.recording_id,
    number: '0',
    name: `room-${++rooms}`, // another each time, so that everybody is the first
  }
  const path = pattern.replace(/:(\w+)/g, (_, parameter) => named[parameter] || `nobody-said-which-${parameter}`)
  if (method === 'PUT') return stage.as[name].put(path, 'bytes', { 'Content-Type': 'application/octet-stream' })
  if (method === 'POST' || method === 'PATCH') return stage.as[name].call(method, path, said)
  const query = new URLSearchParams(Object.entries(said)).toString()
  return stage.as[name].call(method, query ? `${path}?${query}` : path)
}

const madeUp: Connection = { id: 'con_made-up', resume_token: 'made-up' }

/** Or may go in at once, and learns all this by that. */
const isInside = (name: CallerName) => ['owner', 'co_host', 'accepted', 'guest'].includes(name)

/** What only those inside may know, and what else a person in the lobby has no use for, as found in an answer. */
function toldToo(much: string, stage: Stage, name: CallerName): string[] {
  const others = stage.participant_ids.filter(id => id !== stage.idOf(name))
  const inside = [...others, names.guest, '"roster"', '"ice_servers"']
  const words = name === 'waiting' ? [...inside, names.owner, '"join_code"'] : inside
  const text = much.replaceAll(`"owner_name":"${names.owner}"`, '') // which is on the card, and in the mail
  return words.filter(word => text.includes(word))
}

/** A stage is used until somebody has changed it. */
const stages = new Map<Setting, { stage: Awaited<ReturnType<Setting>>; seen: string }>()

async function stageOf(setting: Setting) {
  const kept = stages.get(setting)
  if (kept) return kept
  const stage = await setting()
  const made = { stage, seen: await stage.view() }
  stages.set(setting, made)
  return made
}

describe('the table of who may call what', () => {
  const operations = world.app.routes.map(({ method, path }) => `${method} ${path}`)

  it('has a row for every route, and for nothing else', () => {
    expect(Object.keys(table).sort()).toEqual(operations.sort())
  })

  it.each(Object.entries(table))('%s', async (operation, { gets, on = live }) => {
    const reads = operation.startsWith('GET')
    const open = gets.anonymous < 300 // what everybody may do spoils it for nobody
    const got = {} as Gets
    const changed: string[] = []
    const told: string[] = []
    for (const name of callers) {
      const { stage, seen } = await stageOf(on)
      const reply = await call(operation, stage, name)
      got[name] = reply.status

      const untouched = reads || open || (await stage.view()) === seen
      if (!untouched) stages.delete(on)
      if (!untouched && reply.status >= 400) changed.push(name)
      if (isInside(name) || elsewhere.includes(operation)) continue
      told.push(...toldToo(reply.text, stage, name).map(word => `${name}: ${word}`))
    }
    if (open && !reads) stages.delete(on)
    expect(got).toEqual(gets)
    expect(changed, 'was refused, and changed something').toEqual([])
    expect(told, 'was told what is for those inside').toEqual([])
  })

  it('knows nobody who has logged out', async () => {
    const { stage, seen } = await stageOf(live)
    const logged_out = (await cast.logIn()).owner
    await logged_out.post('/api/auth/logout')
    const asThem = { ...stage, as: { ...stage.as, owner: logged_out } }
    for (const [operation, { gets }] of Object.entries(table)) {
      if (gets.anonymous === 401) expect((await call(operation, asThem, 'owner')).status, operation).toBe(401)
    }
    expect(await stage.view()).toBe(seen)
  })

  it('knows the guest of one meeting at no other', async () => {
    const { stage, seen } = await stageOf(connected)
    const { guest } = (await cast.stage()).as
    const asThem = { ...stage, as: { ...stage.as, guest } }
    for (const { method, path, access } of world.app.routes) {
      const operation = `${method} ${path}`
      if (table[operation]?.gets.stranger !== 404) continue
      expect((await call(operation, asThem, 'guest')).status, operation).toBe(access === 'user' ? 403 : 404)
    }
    expect(await stage.view()).toBe(seen)
  })
})

describe('whoever waits in the lobby', () => {
  /** The code of the problem, or all of the answer. */
  const answers: { [operation: string]: string | ((stage: Stage) => object) } = {
    'GET /api/meetings/:meeting_id': 'not_admitted',
    'GET /api/meetings/:meeting_id/occurrences': 'not_admitted',
    'GET /api/meetings/:meeting_id/calendar.ics': 'not_admitted',
    'GET /api/meetings/:meeting_id/participants': 'not_admitted',
    'GET /api/meetings/:meeting_id/attendance': 'hosts_only',
    'GET /api/meetings/:meeting_id/invitations': 'account_needed',
    'GET /api/invitations': 'account_needed',
    'POST /api/meetings/:meeting_id/lobby/admit-all': 'hosts_only',
    'POST /api/meetings/:meeting_id/heartbeat': () => ({ state: 'waiting', connection: null, roster_version: null }),
    'POST /api/meetings/:meeting_id/join': ({ meeting, idOf }) => ({
      participant: {
        id: idOf('waiting'),
        meeting_id: meeting.id,
        user_id: null,
        display_name: names.waiting,
        role: 'participant',
        state: 'waiting',
        waiting_since: world.clock.now(),
      },
    }),
    'GET /api/join/:join_code': ({ meeting }) => ({
      title: meeting.title,
      scheduled_at: null,
      time_zone: 'UTC',
      owner_name: names.owner,
      lobby: false,
    }),
    'POST /api/meetings/:meeting_id/leave': () => ({ attendance: null }),
  }

  it.each(Object.entries(answers))('is told no more by %s', async (operation, expected) => {
    const { stage } = await stageOf(live)
    const { body } = await call(operation, stage, 'waiting')
    if (typeof expected === 'string') expect(body.code).toBe(expected)
    else expect(body).toEqual(expected(stage))
  })
})
