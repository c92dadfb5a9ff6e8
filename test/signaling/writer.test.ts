import { describe, expect, it, vi } from 'vitest'
import { poolOf } from '../../src/db/open.ts'
import { type Db, writerOf } from '../../src/db/transaction.ts'
import { ackOf } from '../../src/features/signaling/ack.ts'
import * as inboxes from '../../src/features/signaling/inbox-store.ts'
import { createMirror } from '../../src/features/signaling/mirror.ts'
import type { Outcome } from '../../src/features/signaling/schema.ts'
import { type Letter, sendOf } from '../../src/features/signaling/send.ts'
import { whatOf } from '../../src/features/signaling/telling.ts'
import { createWriter, type Work } from '../../src/features/signaling/writer.ts'
import { whenDone } from '../support/cleanup.ts'
import { engine } from '../support/database.ts'
import { createWorld } from '../support/world.ts'
import { untilHeld } from './people.ts'
import { comeIn, type Insider, meet, newRoom, payloadsOf, word } from './room.ts'

const world = await createWorld()
const { db, clock } = world
const conflict = { sqlite: 'SQLITE_BUSY', postgres: '40P01', mysql: 'ER_LOCK_DEADLOCK' }[engine]

async function inboxOf({ connection }: Insider) {
  const [loaded] = await inboxes.load(db, [{ id: connection }])
  if (!loaded) throw new Error('There is no such inbox')
  return inboxes.inboxOf(loaded)
}
const wordsTo = async (who: Insider) => (await inboxOf(who)).unacked.filter(({ type }) => type === 'custom.word').length

/** Somebody with three others, and a writer of our own to whom she gives a word for each of them, all at once. */
async function threeLetters() {
  const room = newRoom()
  const [ada, bob, carl, dora] = [
    await comeIn(world, room, 'Ada'),
    await comeIn(world, room, 'Bob'),
    await comeIn(world, room, 'Carl'),
    await comeIn(world, room, 'Dora'),
  ]
  const others = [bob, carl, dora]
  const mirror = createMirror({ db, shared: true })
  const writer = createWriter({ db, clock, mirror, shared: true, published() {} })
  const me = await inboxOf(ada)
  const decided = [0, 0, 0]

  /** `fails` comes before each time that the word for the second of them is decided. */
  function send(fails = () => {}) {
    const works = others.map(({ connection }, i): Work<Outcome[]> => {
      const what = { type: 'custom.word', payload: 'hi', text: whatOf('"hi"'), life_ms: 60_000, digest: '' }
      const letter: Letter = { ...what, recipients: [connection] }
      const work = sendOf(me, [letter], undefined, [])
      return {
        ...work,
        decide(desk) {
          decided[i] = (decided[i] ?? 0) + 1
          if (i === 1) fails()
          return work.decide(desk)
        },
      }
    })
    return Promise.allSettled(works.map(work => writer.submit(work)))
  }

  /** Whatever it is about, the writer knows it, and reads nothing more of it. */
  for (const who of [ada, ...others]) await writer.submit(ackOf(await inboxOf(who), { up_to: 0 }))
  return { others, carl, decided, send, counts: () => Promise.all(others.map(wordsTo)) }
}
const statusesOf = (settled: PromiseSettledResult<unknown>[]) => settled.map(({ status }) => status)

describe('of the requests in one transaction', () => {
  it('the one whose row the engine refuses fails alone', async () => {
    const { carl, decided, send, counts } = await threeLetters()
    const { id, next_seq } = await inboxOf(carl)
    const row = { connection_id: id, seq: next_seq }
    // Its place is taken: no engine lets it in.
    await writerOf(db)('rtc_signals').insert({ ...row, last_seq: next_seq, body: '' })
    expect(statusesOf(await send())).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(decided).toEqual([2, 2, 2]) // together, and then each alone
    await writerOf(db)('rtc_signals').where(row).delete()
    expect(await counts()).toEqual([1, 0, 1])
    expect(statusesOf(await send())).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(await counts()).toEqual([2, 1, 2])
  })

  it('the one that is a bug fails alone', async () => {
    const { send, counts } = await threeLetters()
    const settled = await send(() => {
      throw new Error('a bug')
    })
    expect(statusesOf(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(settled[1]).toMatchObject({ reason: { message: 'a bug' } })
    expect(await counts()).toEqual([1, 0, 1])
  })

  it('none fails when another transaction was in the way, once', async () => {
    const { decided, send, counts } = await threeLetters()
    const settled = await send(() => {
      if (decided[1] === 1) throw Object.assign(new Error('deadlock'), { code: conflict })
    })
    expect(statusesOf(settled)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(decided).toEqual([2, 2, 1]) // nobody was tried alone
    expect(await counts()).toEqual([1, 1, 1])
  })

  it('only the one fails for which there is always one in the way', async () => {
    const { decided, send, counts } = await threeLetters()
    const settled = await send(() => {
      throw Object.assign(new Error('deadlock'), { code: conflict })
    })
    expect(statusesOf(settled)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(settled[1]).toMatchObject({ reason: { code: conflict } })
    expect(decided[1]).toBe(4)
    expect(await counts()).toEqual([1, 0, 1])
  })
})

/** Somebody else's transaction, in the way of whatever is written about this connection, until it is committed. */
async function inTheWay({ connection }: Insider) {
  const transaction = await writerOf(db).transaction()
  whenDone(() => transaction.isCompleted() || transaction.rollback())
  const mine = () => transaction('rtc_connections').where({ id: connection })
  await mine().forUpdate().first('id')
  return {
    mine,
    commit: () => transaction.commit(),
    /** Resolves once somebody waits for it to be over. MariaDB looks anew only for who has not asked for a while. */
    isWaitedFor: () =>
      vi.waitFor(async () => expect(await countWaiting(transaction)).toBeGreaterThan(0), {
        timeout: 4000,
        interval: 120,
      }),
  }
}

async function countWaiting(transaction: Db): Promise<number> {
  if (engine === 'sqlite') return poolOf(db).waiting
  const { rows, 0: found } = await transaction.raw(
    engine === 'postgres'
      ? `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`
      : `SELECT COUNT(*) AS count FROM information_schema.innodb_trx t
         JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
         WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()`,
  )
  return (rows ?? found)[0].count
}

it('who leaves while a send to them waits for its turn gets nothing, and the sender is told', async () => {
  const { ada, bob } = await meet(world)
  const other = await inTheWay(bob)
  const sending = ada.send({ first_seq: 1, ...word(bob, 'too late') })
  await other.isWaitedFor()
  await other.mine().update({ closed_at: clock.now(), close_reason: 'left' })
  await other.mine().increment('revision', 1)
  await other.commit()
  const { status, body } = await sending
  expect([status, body.results]).toEqual([200, [{ status: 'recipient_gone', deliveries: [] }]])
  expect(await wordsTo(bob)).toBe(0)
})

it('when ten thousand requests wait, one more is told to come again, and all of the others are answered', async () => {
  const { ada } = await meet(world)
  const { acked_through } = await inboxOf(ada)
  const ack = () => world.app.signaling.ackBy(ada.connection, { seqs: [1] })
  const other = await inTheWay(ada)
  const writing = [ack()]
  await other.isWaitedFor()
  for (let i = 0; i < 10_000; i++) writing.push(ack())
  const refused = await ada.ack({ seqs: [1] })
  expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'unavailable', '1'])
  await other.commit()
  const answers = await Promise.all(writing)
  expect(answers.every(answer => answer.acked_through === acked_through)).toBe(true)
  expect((await ada.ack({ seqs: [1] })).status).toBe(200)
})

if (engine !== 'sqlite')
  it('a commit whose answer is lost is a 503; it is read all the same, and sent again it is known', async () => {
    const { ada, bob } = await meet(world)
    const after = await bob.drain()
    const poll = bob.poll({ after })
    await untilHeld(world)
    loseNextCommit()
    const body = { first_seq: 1, ...word(bob, 'once') }
    const lost = await ada.send(body)
    expect([lost.status, lost.body.code, lost.headers['retry-after']]).toEqual([503, 'unavailable', '1'])
    expect(payloadsOf((await poll).body.signals)).toEqual(['once'])
    expect((await ada.send(body)).body.results).toMatchObject([{ status: 'duplicate', first_status: 'queued' }])
    expect(payloadsOf(await bob.readAll(after))).toEqual(['once'])
  })

/** It takes place, and the line breaks before the database can say so. */
function loseNextCommit(): void {
  const { client } = writerOf(db)
  const acquire = client.acquireConnection
  const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  client.acquireConnection = async () => {
    const connection = await acquire.call(client)
    const query = connection.query
    connection.query = (...given: unknown[]) => {
      if (given[0] !== 'COMMIT') return query.apply(connection, given)
      client.acquireConnection = acquire
      delete connection.query
      const [, done] = given
      if (typeof done === 'function') return query.call(connection, 'COMMIT', () => done(broken))
      return query.call(connection, 'COMMIT').then(() => Promise.reject(broken))
    }
    return connection
  }
}
