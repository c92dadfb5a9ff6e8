import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'
import { type Insider, meet, type Signal, word, words } from './room.ts'

const world = await createWorld()
const { ada, bob } = await meet(world)

const typed = (type: string, payload: unknown) => word(bob, payload, { type })
const received = async (): Promise<Signal[]> => {
  const signals = await bob.readAll()
  await bob.drain()
  return signals
}

/** The text of a body goes out as it is. */
async function post(text: string, { token }: Insider = ada) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const reply = await fetch(`${world.origin}/api/rtc/signals`, { method: 'POST', headers, body: text })
  const answer: { code?: string } = JSON.parse(await reply.text())
  return { status: reply.status, body: answer }
}

async function expectRefused(body: object, path: string | RegExp, status = 422): Promise<void> {
  const reply = await ada.send(body)
  expect([reply.status, reply.body.code]).toEqual([status, 'invalid'])
  const paths: string[] = reply.body.errors.map((error: { path: string }) => error.path)
  expect(
    paths.some(each => (typeof path === 'string' ? each === path : path.test(each))),
    paths.join(),
  ).toBe(true)
  expect(await received(), 'nothing is stored').toEqual([])
}

describe('a POST of signals', () => {
  it('has 64 of them at most, and one at least', async () => {
    expect((await ada.send({ signals: words(bob, 64) })).status).toBe(200)
    expect(await received()).toHaveLength(64)
    await expectRefused({ signals: words(bob, 65) }, 'signals')
    await expectRefused({ signals: [] }, 'signals')
  })

  it('has 512 KiB at most', async () => {
    const sdp = typed('offer', { type: 'offer', sdp: 'x'.repeat(120 * 1024) })
    expect((await ada.send({ signals: [sdp, sdp, sdp, sdp] })).status).toBe(200)
    expect(await received()).toHaveLength(4)
    const { status, body } = await ada.send({ signals: [sdp, sdp, sdp, sdp, sdp] })
    expect([status, body.code]).toEqual([413, 'body_too_large'])
    expect(await received()).toEqual([])
  })

  it('is JSON', async () => {
    expect((await post('{"to":')).status).toBe(400)
    expect((await post('[]')).status).toBe(422)
    expect((await post('null')).status).toBe(422)
  })

  it('is either several, or one without the list, and not half of each', async () => {
    const { to, type, payload } = word(bob, 1)
    await expectRefused({ signals: words(bob, 1), to }, '')
    await expectRefused({ signals: words(bob, 1), type, payload }, '')
    for (const half of [{ to, type }, { to, payload }, { type, payload }, {}]) await expectRefused(half, '')
  })

  it.each([{ negotiation_id: 'n1' }, { ice_session: 'i1' }, { ttl_ms: 1000 }])(
    'of several says of each what is said of one; beside the list it would be lost: %j',
    async beside => {
      const { status } = await ada.send({ signals: words(bob, 1), ...beside })
      await received()
      expect(status).toBe(422)
    },
  )

  it('has no members that nobody knows, and none of another kind than they are', async () => {
    await expectRefused({ ...word(bob, 1), prio: 1 }, 'prio')
    await expectRefused({ signals: [{ ...word(bob, 1), seq: 7 }] }, 'signals.0.seq')
    await expectRefused({ signals: [word(bob, 1), { ...word(bob, 1), ice_session: 7 }] }, 'signals.1.ice_session')
    await expectRefused({ ...word(bob, 1), ice_session: '' }, 'ice_session')
    await expectRefused({ ...word(bob, 1), negotiation_id: 'n'.repeat(129) }, 'negotiation_id')
    for (const first_seq of [0, -1, 1.5, '1', null]) await expectRefused({ first_seq, ...word(bob, 1) }, 'first_seq')
  })

  it('goes to somebody else', async () => {
    await expectRefused({ signals: [word(bob, 1), word(ada, 2)] }, 'signals.1.to.connection')
  })
})

describe('a payload', () => {
  const json = (bytes: number) => 'x'.repeat(bytes - 2) // with its quotation marks

  it.each([
    ['offer', 128],
    ['answer', 128],
    ['candidate', 4],
    ['end_of_candidates', 4],
    ['bye', 4],
  ])('of %s has %i KiB at most', async (type, kib) => {
    expect((await ada.send(typed(type, json(kib * 1024)))).status).toBe(200)
    expect((await received())[0]?.payload).toHaveLength(kib * 1024 - 2)
    await expectRefused(typed(type, json(kib * 1024 + 1)), 'payload')
    await expectRefused({ signals: [word(bob, 1), typed(type, json(kib * 1024 + 1))] }, 'signals.1.payload')
  })

  it('is counted in bytes, and not in characters', async () => {
    expect((await ada.send(typed('candidate', 'é'.repeat(2047)))).status).toBe(200)
    await received()
    await expectRefused(typed('candidate', 'é'.repeat(2048)), 'payload')
  })

  it.each([
    ['a NUL', '"a\\u0000b"'],
    ['a high surrogate alone', '"a\\ud800b"'],
    ['a low surrogate alone', '"a\\udc00b"'],
    ['a NUL in a name', '{"a\\u0000":1}'],
    ['a surrogate alone in a name', '{"\\udfff":[1]}'],
    ['a NUL deep inside', '{"a":[{"b":["\\u0000"]}]}'],
    ['a name that means something to JavaScript', '{"__proto__":{"a":1}}'],
  ])('has no text that cannot be stored: %s', async (_, payload) => {
    const to = JSON.stringify({ connection: bob.connection })
    const { connection } = ada
    for (const body of [
      `{"connection":"${connection}","to":${to},"type":"custom.x","payload":${payload}}`,
      `{"connection":"${connection}","signals":[{"to":${to},"type":"custom.x","payload":${payload}}]}`,
    ]) {
      const { status, body: problem } = await post(body)
      expect([status, problem.code]).toEqual([422, 'invalid'])
    }
    expect(await received()).toEqual([])
  })

  it('has to be there', async () => {
    await expectRefused({ to: { connection: bob.connection }, type: 'bye' }, /^(|payload)$/)
    await expectRefused({ signals: [{ to: { connection: bob.connection }, type: 'bye' }] }, 'signals.0.payload')
  })

  const verbatim: [string, unknown][] = [
    ['null', null],
    ['an empty candidate, which says that there are no more', { candidate: '', sdpMid: '0', sdpMLineIndex: 0 }],
    ['a candidate that is null', { candidate: null }],
    [
      'a name that only the neighbours know',
      { candidate: 'candidate:1 1 udp 1 0b9a-4d.local 9 typ host', sdpMid: null },
    ],
    ['nothing', {}],
    ['a list', [null, '', 0, false]],
    ['any script, and what JSON has to escape', { text: 'é 𝄞 עברית \u2028 \u007f \\ " \n \t </script>' }],
    ['numbers', [0.1, -1e-9, 1e21, 9007199254740991]],
    ['what looks like a part of the answer', { seq: 1, '"},"payload":': 'deliveries":7' }],
    ['SQL, and places for its values', "'; DROP TABLE rtc_signals; -- ? :a $1 ??"],
    ['true', true],
    ['an empty text', ''],
  ]
  it.each(verbatim)('is passed on as it came: %s', async (_, payload) => {
    for (const type of ['candidate', 'candidates', 'end_of_candidates', 'custom.x']) {
      expect((await ada.send(typed(type, payload))).status).toBe(200)
    }
    const signals = await received()
    expect(signals.map(signal => JSON.stringify(signal.payload))).toEqual(Array(4).fill(JSON.stringify(payload)))
  })

  it('comes with the words that belong to it, as they were said', async () => {
    const words = { negotiation_id: 'n "1" \\ é', ice_session: 'ufrag/+"\'' }
    await ada.send({ ...typed('offer', 1), ...words })
    await ada.send(typed('offer', 2))
    expect(await received()).toMatchObject([words, { negotiation_id: null, ice_session: null }])
  })
})

describe('a type', () => {
  it.each([
    'offer',
    'answer',
    'candidate',
    'candidates',
    'end_of_candidates',
    'renegotiate',
    'bye',
    'custom.a',
    'custom.chess_move-2',
  ])('that clients may send: %s', async type => {
    expect((await ada.send(typed(type, 1))).status).toBe(200)
    expect(await received()).toMatchObject([{ type }])
  })

  it.each([
    '',
    'hello',
    'Offer',
    'custom',
    'custom.',
    'custom.A',
    `custom.${'a'.repeat(49)}`,
    'offer ',
    'custom.a"b',
    7,
    null,
  ])('that nobody knows: %s', async type => {
    await expectRefused({ to: { connection: bob.connection }, type, payload: 1 }, 'type')
    await expectRefused({ signals: [{ to: { connection: bob.connection }, type, payload: 1 }] }, 'signals.0.type')
  })

  it.each([
    'peer_joined',
    'peer_updated',
    'peer_left',
    'undelivered',
    'answered_elsewhere',
    'chat',
    'recording',
    'meeting',
  ])('that is for the server alone: %s', type => expectRefused(typed(type, {}), 'type'))
})

describe('what is asked of an inbox', () => {
  it.each([
    'after=-1',
    'after=1.5',
    'after=x',
    'after=99999999999',
    'limit=0',
    'limit=101',
    'limit=x',
    'wait=-1',
    'wait=x',
    'ack=-1',
    'ack=x',
    'since=0',
    'connection=',
  ])('is refused when it makes no sense: %s', async query => {
    const { status, body } = await bob.call('GET', `/api/rtc/inbox?${query}`)
    expect([status, body.code]).toEqual([422, 'invalid'])
  })

  it.each([
    {},
    { up_to: -1 },
    { up_to: 1.5 },
    { up_to: '1' },
    { seqs: [] },
    { seqs: [0] },
    { seqs: ['1'] },
    { up_to: 1, seqs: [1] },
    { up_to: 0, all: true },
  ])('is acknowledged in one way: %j is none', async body => {
    const reply = await bob.call('POST', '/api/rtc/ack', body)
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid'])
  })
})
