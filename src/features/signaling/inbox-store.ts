import type { Table, Value } from '../../db/dialects.ts'
import type { Batch } from '../../db/prepared.ts'
import type { Db } from '../../db/transaction.ts'
import type { LeaveReason } from '../../events/events.ts'
import type { Role } from '../meetings/types.ts'
import type { Draft } from './draft.ts'
import { type Inbox, isOfClient, type Stored } from './inbox.ts'

/** Inboxes as rows, and back. What runs for every signal is written for `Batch`, the rest for Knex. */

/** What there is of an inbox in the row of its connection. */
interface Row {
  id: string
  tenant_id: string
  meeting_id: string
  session_id: string
  participant_id: string
  joined_as: number
  user_id: string | null
  token_family: string
  role: Role
  may_send: boolean | number
  close_reason: LeaveReason | null
  revision: number
  signals_revision: number
  next_seq: number
  acked_through: number
  send_next: number
  peers: string | null
}

const lasting = ['id', 'tenant_id', 'meeting_id', 'session_id', 'participant_id', 'joined_as'] as const
const changing = [
  'user_id',
  'token_family',
  'role',
  'may_send',
  'close_reason',
  'revision',
  'signals_revision',
  'next_seq',
  'acked_through',
  'send_next',
  'peers',
] as const

type Changing = Pick<Row, (typeof changing)[number]>

/** One for each run of signals, and one for an inbox that has none. */
type Joined = Row & { [column in keyof Run]: Run[column] | null }

const both = [...[...lasting, ...changing].map(name => `c.${name}`), 's.seq', 's.states', 's.body'].join(', ')

/** Which inbox, and since which revision; all of it if that is not said. */
export interface Ask {
  id: string
  since?: number | undefined
}

/** For who wants to know nothing of what is in it: later than any revision. */
export const NOTHING_IN_IT = 2_147_483_647

/** An inbox as it stands in the table, and those of its signals that were written since the revision. */
export interface Loaded extends Pick<Ask, 'since'> {
  row: Row
  signals: Stored[]
}

/** In one statement, and so as of one moment. */
const inboxesWithSignals = (count: number) =>
  `SELECT ${both} FROM rtc_connections c
   LEFT JOIN rtc_signals s ON s.connection_id = c.id AND s.last_seq > c.acked_through
     AND (${Array(count).fill('(c.id = ? AND s.revision > ?)').join(' OR ')})
   WHERE c.id IN (${Array(count).fill('?').join(', ')}) ORDER BY c.id, s.seq`

const valuesOf = (asks: Ask[]) => [...asks.flatMap(({ id, since = -1 }) => [id, since]), ...asks.map(({ id }) => id)]

export async function load(db: Db, asks: Ask[]): Promise<Loaded[]> {
  const answer = await db.raw(inboxesWithSignals(asks.length), valuesOf(asks))
  return gathered(answer.rows ?? (Array.isArray(answer[0]) ? answer[0] : answer), asks)
}

export async function loadIn(batch: Batch, asks: Ask[]): Promise<Loaded[]> {
  const found: Loaded[] = []
  for (let i = 0; i < asks.length; i += 50) {
    const some = asks.slice(i, i + 50)
    found.push(...gathered(await batch.query<Joined>(inboxesWithSignals(some.length), valuesOf(some)), some))
  }
  return found
}

function gathered(rows: Joined[], asks: Ask[]): Loaded[] {
  const since = new Map(asks.map(ask => [ask.id, ask.since]))
  const found = new Map<string, Loaded>()
  for (const { seq, states, body, ...row } of rows) {
    const loaded = found.get(row.id) ?? { row, since: since.get(row.id), signals: [] }
    found.set(row.id, loaded)
    if (seq !== null && body !== null) loaded.signals.push(...entriesOf({ seq, states, body }))
  }
  return [...found.values()]
}

/** Of an inbox that is loaded whole; what only this node knows of it stays. */
export function inboxOf({ row, signals }: Loaded, ours?: Inbox): Inbox {
  const { close_reason, may_send, peers, ...same } = row
  const deliveries = new Map(ours?.unacked.map(entry => [entry.seq, entry.deliveries]))
  const unacked = signals.filter(({ seq }) => seq > row.acked_through)
  for (const entry of unacked) entry.deliveries = deliveries.get(entry.seq) ?? 0
  const { read_at = Number.NEGATIVE_INFINITY, served = 0 } = ours ?? {}
  const shares = sharesOf(unacked)
  return { ...same, ...readable(row), unacked, shares, as_of: performance.now(), read_at, served }
}

/** A newer copy, of ours and of what was written since. Undefined if something is missing. */
export function renewed(ours: Inbox, row: Changing, written: Stored[]): Inbox | undefined {
  const news = new Map(written.map(entry => [entry.seq, entry]))
  const unacked: Stored[] = []
  for (let seq = row.acked_through + 1; seq < row.next_seq; seq++) {
    const known = ours.unacked[seq - ours.acked_through - 1]
    const entry = news.get(seq) ?? known
    if (!entry) return undefined
    if (known) entry.deliveries = known.deliveries
    unacked.push(entry)
  }
  const { user_id, token_family, role, revision, signals_revision, next_seq, acked_through, send_next } = row
  const counters = { user_id, token_family, role, revision, signals_revision, next_seq, acked_through, send_next }
  return { ...ours, ...counters, ...readable(row), unacked, shares: sharesOf(unacked), as_of: performance.now() }
}

const readable = ({ close_reason, may_send, peers }: Changing) => ({
  may_send: Boolean(may_send),
  closed: close_reason,
  pairs: peers === null ? {} : JSON.parse(peers),
  pairs_text: peers,
})

function sharesOf(unacked: Stored[]): Inbox['shares'] {
  const shares: Inbox['shares'] = new Map()
  for (const { sender, state } of unacked) {
    if (sender !== null && state !== 'acked') shares.set(sender, (shares.get(sender) ?? 0) + 1)
  }
  return shares
}

/**
 * What one transaction appends to an inbox is one row: a run of signals, a line each. `states` has those that are not
 * simply to be read, by their seq, with who sent them; their lines are empty.
 */
interface Run {
  seq: number
  states: string | null
  body: string
}

type States = { [seq: string]: [state: NonNullable<Stored['state']>, sender: string | null] }

function entriesOf({ seq: run, states, body }: Run): Stored[] {
  const marked: States = states === null ? {} : JSON.parse(states)
  return body.split('\n').map((line, i): Stored => {
    const seq = run + i
    const [state = null, sender = null] = marked[seq] ?? []
    if (line === '')
      return { seq, run, sender, type: '', ice_session: null, expires_at: null, state, body, deliveries: 0 }
    const { type, from, ice_session, expires_at } = JSON.parse(`{${line}}`)
    // What the server tells of somebody is not theirs.
    const by = isOfClient(type) ? from.connection : null
    return { seq, run, sender: by, type, ice_session, expires_at, state, body: line, deliveries: 0 }
  })
}

/** As `from` as far as to the last that is in the draft, or in this run of it. */
function runOf(draft: Draft, run: number): Value[] {
  const lines: string[] = []
  const states: States = {}
  for (let seq = run; seq < draft.nextSeq; seq++) {
    const entry = draft.at(seq)
    if (entry && entry.run !== run) break
    const state = entry && draft.stateOf(entry)
    if (state) states[seq] = [state, entry.sender]
    // One that is acknowledged already keeps its place, and nothing else.
    lines.push(entry && !state && seq > draft.acked_through ? entry.body : '')
  }
  const marked = Object.keys(states).length > 0 ? JSON.stringify(states) : null
  return [draft.inbox.id, run, run + lines.length - 1, draft.revision, marked, lines.join('\n')]
}

/** Where others write, too, it is worth knowing more of a row than whether it has changed. */
export type Locked = Revision & Partial<Changing>

export const lock = (batch: Batch, ids: string[], shared = false): Promise<Locked[]> =>
  batch.lock<Locked>('rtc_connections', shared ? ['id', ...changing] : ['id', 'revision'], ids)

/** Whether the row says all that has changed since. */
export const saysAll = (row: Locked, ours: Inbox): row is Revision & Changing =>
  row.signals_revision !== undefined && row.signals_revision <= ours.revision

const signals: Table = {
  name: 'rtc_signals',
  columns: { connection_id: 'text', seq: 'int', last_seq: 'int', revision: 'int', states: 'text', body: 'text' },
}
const counters: Table = {
  name: 'rtc_connections',
  columns: {
    id: 'text',
    next_seq: 'int',
    acked_through: 'int',
    send_next: 'int',
    peers: 'text',
    signals_revision: 'int',
  },
  increment: 'revision',
}

/** Writes what the drafts say, in as few statements as there are kinds of change. */
export async function save(batch: Batch, drafts: Draft[]): Promise<void> {
  const added: Value[][] = []
  const counted: Value[][] = []
  const floors: string[] = []
  for (const draft of drafts) {
    const { inbox, appended, states, acked_through, send_next, nextSeq } = draft
    if (appended.length > 0 && acked_through < nextSeq - 1) added.push(runOf(draft, inbox.next_seq))
    if (states) await saveStates(batch, draft)
    counted.push([inbox.id, nextSeq, acked_through, send_next, draft.pairsText(), draft.signalsRevision])
    if (acked_through > inbox.acked_through) floors.push(inbox.id)
  }
  if (added.length > 0) await batch.insert(signals, added)
  await batch.update(counters, counted)
  if (floors.length > 0) await batch.each(deleteAcked, floors)
}

const deleteAcked = (marks: string) =>
  `DELETE FROM rtc_signals WHERE connection_id IN (${marks}) AND last_seq <=
     (SELECT acked_through FROM rtc_connections WHERE id = rtc_signals.connection_id)`

/** Of runs that were stored before, and stay. */
async function saveStates(batch: Batch, draft: Draft): Promise<void> {
  const runs = new Set<number>()
  for (const seq of draft.states?.keys() ?? []) {
    const run = draft.at(seq)?.run
    if (run !== undefined && run < draft.inbox.next_seq) runs.add(run)
  }
  for (const run of runs) {
    const [connection_id = '', seq = 0, , revision = 0, states = null, body = ''] = runOf(draft, run)
    const sql = 'UPDATE rtc_signals SET revision = ?, states = ?, body = ? WHERE connection_id = ? AND seq = ?'
    await batch.write(sql, [revision, states, body, connection_id, seq])
  }
}

/** Of inboxes that are known here at some revision, those that have another one by now. */
export async function listChanged(db: Db, known: Revision[]): Promise<Changed[]> {
  const json = JSON.stringify(known.map(({ id, revision }) => [id, revision]))
  const engine: keyof typeof changedSince = db.client.config.client
  const answer = await db.raw(changedSince[engine], [json])
  return answer.rows ?? (engine === 'mysql2' ? answer[0] : answer)
}

type Revision = Pick<Inbox, 'id' | 'revision'>
/** Without a revision it is not there any more. */
type Changed = Pick<Inbox, 'id'> & { revision: number | null }

const changedSince = {
  sqlite3: `SELECT k.value ->> 0 AS id, c.revision FROM json_each(?) k LEFT JOIN rtc_connections c ON c.id = k.value ->> 0
            WHERE c.revision IS NULL OR c.revision <> k.value ->> 1`,
  pg: `SELECT k ->> 0 AS id, c.revision FROM json_array_elements(?::json) k LEFT JOIN rtc_connections c ON c.id = k ->> 0
       WHERE c.revision IS NULL OR c.revision <> (k ->> 1)::int`,
  mysql2: `SELECT k.id, c.revision FROM JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(40) PATH '$[0]', revision INT PATH '$[1]')) k
           LEFT JOIN rtc_connections c ON c.id = k.id WHERE c.revision IS NULL OR c.revision <> k.revision`,
}

/** Open inboxes that are not empty: something in them may have expired. */
export const listUnread = (db: Db, after: string, limit: number): Promise<(Revision & Pick<Inbox, 'session_id'>)[]> =>
  db('rtc_connections')
    .whereNull('closed_at')
    .whereRaw('next_seq > acked_through + 1')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .select('id', 'session_id', 'revision')
