import type { Inside } from '../inside.ts'
import type { Promises } from '../suite.ts'
import { begun } from '../time.ts'
import { accepted, holds, matches, numbers, payloadsOf, refused, same, typesOf } from '../verdict.ts'
import type { Signal } from '../wire.ts'

/** Who comes and goes is told in the same inbox, and in the same order, as what they say. */

const isLeaving = ({ type }: Signal) => type === 'peer_left'
const untilSomebodyLeft = (reader: Inside) => reader.readUntil('peer_left', ({ signals }) => signals.some(isLeaving))

export const roster: Promises = {
  async 'peer_joined comes before everything of that peer'({ enter }) {
    const [ada] = await enter('ada')
    const come = async (name: 'ben' | 'cleo') => {
      const [newcomer] = await enter(name)
      await newcomer.tell(ada, 'hello')
      return newcomer.connection
    }
    const came = await Promise.all([come('ben'), come('cleo'), come('ben'), come('cleo')])
    const read = await ada.gather(8)
    for (const connection of came) {
      const theirs = read.filter(({ from }) => from?.connection === connection)
      same(typesOf(theirs), ['peer_joined', 'custom.word'], 'what Ada reads of one who came')
    }
  },

  async 'peer_left comes after everything of that peer, and nothing follows it'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const sent: string[] = []
    let leaving: Promise<unknown> | undefined
    for (const text of numbers(1, 25).map(String)) {
      const reply = await ben.trySend({ to: ada.address, type: 'custom.word', payload: text })
      if (reply.status === 200) sent.push(text)
      else refused(reply, 410, 'connection_closed')
      if (text === '8') leaving = begun(ben.leave())
    }
    await leaving
    const seen = await untilSomebodyLeft(ada)
    same(payloadsOf(seen.signals.slice(1, -1)), sent, 'what Ada reads between arrival and departure')
    matches(seen.signals.at(-1), { type: 'peer_left', from: { connection: ben.connection } }, 'the last of it')
    same((await ada.read({ after: seen.cursor })).signals, [], 'what follows it')
  },

  async 'of two, the later one is the polite one, and both know'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    matches(ben.joined.roster, [{ connection: ada.connection, polite: true }], 'the roster that Ben finds')
    const payload = { connection: ben.connection, polite: false }
    matches(await ada.gather(1), [{ type: 'peer_joined', payload }], 'what Ada is told of Ben')
  },

  async 'a join tells who else is inside, one line for each connection'({ enter }) {
    const [ada, phone, ben] = await enter('ada', 'ada', 'ben')
    const lines = [ada, phone].map(({ participant, connection }) => ({ participant, connection }))
    matches(ben.joined.roster, lines, 'the roster that Ben finds')
    same(ben.joined.inbox.cursor, 0, 'where he begins to read')
  },

  async 'roster_version rises with everyone who comes or goes'({ enter }) {
    const [ada, ben, cleo] = await enter('ada', 'ben', 'cleo')
    accepted(await ben.leave())
    accepted(await cleo.leave())
    const twoLeft = ({ signals }: { signals: Signal[] }) => signals.filter(isLeaving).length === 2
    const { signals } = await ada.readUntil('two who left', twoLeft)
    const versions = signals.map(({ payload }) => Number(Object(payload).roster_version))
    const rising = [ada.joined.roster_version, ...versions]
    holds(
      rising.every((version, i) => i === 0 || version > (rising[i - 1] ?? 0)),
      `the versions are ${rising}`,
    )
    same(rising.length, 5, 'versions')
  },

  async 'who leaves takes back what they were negotiating, but not what they said'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const send = (type: string) => ({ to: ada.address, type, payload: type })
    await ben.send(...['offer', 'candidate', 'custom.word', 'bye'].map(send))
    accepted(await ben.leave())
    const { signals, gaps } = await untilSomebodyLeft(ada)
    same(gaps, [{ from_seq: 2, to_seq: 3, reason: 'peer_left' }], 'what was taken back')
    same(typesOf(signals), ['peer_joined', 'custom.word', 'bye', 'peer_left'], 'what Ada reads')
    matches(signals.at(-1), { payload: { connection: ben.connection, reason: 'left' } }, 'peer_left')
  },

  async 'who comes back in place of an old connection closes it, and the others are told which follows it'({ enter }) {
    const [ada, ben] = await enter('ada', 'ben')
    const { id: connection, resume_token } = ben.joined.connection
    const path = `/api/meetings/${ben.meeting_id}/join`
    const back = await ben.ask<Inside['joined']>('POST', path, { body: { replaces: { connection, resume_token } } })
    const { connection: next } = accepted(back, 201)
    refused(await ben.poll(), 410, 'connection_closed', { reason: 'replaced' })
    const events = (await ada.gather(3)).slice(1).sort((a, b) => a.type.localeCompare(b.type))
    const left = { connection, reason: 'replaced', replaced_by: next.id }
    const told = [
      { type: 'peer_joined', payload: { connection: next.id } },
      { type: 'peer_left', payload: left },
    ]
    matches(events, told, 'what Ada is told')
    accepted(await ben.post(`/api/meetings/${ben.meeting_id}/leave`, { connection: next.id }))
  },
}
