import { type Chapter, number, type Step } from '../step.ts'

const sdp = (setup: string, ufrag: string) =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:0123456789abcdef0123456789',
    `a=setup:${setup}`,
    'a=mid:0',
    'a=sendrecv',
    'a=rtpmap:111 opus/48000/2',
    '',
  ].join('\r\n')

const candidate = (address: string) => ({
  candidate: `candidate:1 1 udp 2122260223 ${address} 50000 typ host`,
  sdpMid: '0',
  sdpMLineIndex: 0,
})

const toOwner = { to: { connection: '{{owner_connection}}' }, negotiation_id: 'n1', ice_session: 'benU' }
const toInvitee = { to: { connection: '{{invitee_connection}}' }, negotiation_id: 'n1', ice_session: 'adaU' }

const offer: Pick<Step, 'operation' | 'as' | 'body'> = {
  operation: 'POST /api/rtc/signals',
  as: 'invitee',
  body: {
    connection: '{{invitee_connection}}',
    first_seq: 1,
    signals: [{ ...toOwner, type: 'offer', payload: { type: 'offer', sdp: sdp('actpass', 'benU') } }],
  },
}

export const signals: Chapter = {
  name: '4 · Offer, answer, candidates',
  says:
    'What Ben’s and Ada’s browsers say to each other before they are connected. Everybody has an inbox: send, read, use ' +
    'what was read, acknowledge. The SDP here is a sketch; the server passes on whatever browsers make of it.',
  steps: [
    {
      name: 'Ben asks for STUN and TURN servers',
      operation: 'GET /api/rtc/ice-servers',
      as: 'invitee',
      note: 'For `new RTCPeerConnection({ iceServers })`. A join answers with the same.',
      query: { connection: '{{invitee_connection}}' },
      status: 200,
      tests: { 'there is a list, if an empty one': "pm.expect(answer.ice_servers).to.be.an('array')" },
    },
    {
      ...offer,
      name: 'Ben offers',
      note: 'He came later than Ada, so it is he who offers.',
      status: 200,
      tests: {
        'it is stored': "pm.expect(answer.results[0].status).to.eql('queued')",
        'in Ada’s inbox': 'pm.expect(answer.results[0].deliveries[0].connection).to.eql({{owner_connection}})',
      },
      keep: { offer_seq: 'answer.results[0].deliveries[0].seq' },
    },
    {
      ...offer,
      name: 'Ben’s network repeats the offer',
      note: 'The same `first_seq` again is a `duplicate`, and delivered once.',
      status: 200,
      tests: {
        'it is known': "pm.expect(answer.results[0]).to.include({ status: 'duplicate', first_status: 'queued' })",
        'and where it is': 'pm.expect(answer.results[0].deliveries[0].seq).to.eql(Number({{offer_seq}}))',
      },
    },
    {
      name: 'Ada reads her inbox',
      operation: 'GET /api/rtc/inbox',
      as: 'owner',
      query: { connection: '{{owner_connection}}', after: '{{owner_cursor}}', wait: '25' },
      status: 200,
      where: {
        offers: "answer.signals.filter(({ type }) => type === 'offer')",
        joined:
          "answer.signals.findIndex(({ type, from }) => type === 'peer_joined' && from.connection === {{invitee_connection}})",
      },
      tests: {
        'there is one offer': 'pm.expect(offers).to.have.lengthOf(1)',
        'the server says that it is Ben’s':
          'pm.expect(offers[0].from).to.include({ connection: {{invitee_connection}}, user: {{invitee_id}} })',
        'it came as it was sent': 'pm.expect(offers[0].payload.sdp).to.match(/^v=0\\r\\n/)',
        'Ben’s coming was told before': 'pm.expect(joined).to.be.within(0, answer.signals.indexOf(offers[0]) - 1)',
        'its numbers have no hole':
          'pm.expect(answer.signals.at(-1).seq - answer.signals[0].seq).to.eql(answer.signals.length - 1)',
        'nothing was lost': 'pm.expect(answer.gap).to.eql(null)',
      },
      keep: { owner_cursor: 'answer.cursor' },
    },
    {
      name: 'Ada answers, with a candidate',
      operation: 'POST /api/rtc/signals',
      as: 'owner',
      note: 'Her own numbers begin at 1. `negotiation_id` says which offer is answered, `ice_session` is her ufrag.',
      body: {
        connection: '{{owner_connection}}',
        first_seq: 1,
        signals: [
          { ...toInvitee, type: 'answer', payload: { type: 'answer', sdp: sdp('active', 'adaU') } },
          { ...toInvitee, type: 'candidate', payload: candidate('192.0.2.1') },
        ],
      },
      status: 200,
      tests: {
        'both are stored': "pm.expect(answer.results.map(({ status }) => status)).to.eql(['queued', 'queued'])",
      },
    },
    {
      name: 'Ada acknowledges what she has used',
      operation: 'POST /api/rtc/ack',
      as: 'owner',
      body: { connection: '{{owner_connection}}', up_to: number('owner_cursor') },
      status: 200,
      tests: {
        'up to there': 'pm.expect(answer.acked_through).to.eql(Number({{owner_cursor}}))',
        'for the first time': 'pm.expect(answer.acknowledged).to.be.above(0)',
      },
    },
    {
      name: 'Ben reads the answer',
      operation: 'GET /api/rtc/inbox',
      as: 'invitee',
      note: 'From one connection to another, the order is that of sending.',
      query: { connection: '{{invitee_connection}}', after: '{{invitee_cursor}}', wait: '25' },
      status: 200,
      where: { fromAda: 'answer.signals.filter(({ from }) => from?.connection === {{owner_connection}})' },
      tests: {
        'the answer, then the candidate': "pm.expect(fromAda.map(({ type }) => type)).to.eql(['answer', 'candidate'])",
        'it is to his offer': "pm.expect(fromAda[0].negotiation_id).to.eql('n1')",
        'the candidate is Ada’s': "pm.expect(fromAda[1].payload.candidate).to.include('192.0.2.1')",
      },
      keep: { invitee_cursor: 'answer.cursor', answer_seq: 'fromAda[0].seq' },
    },
    {
      name: 'Ben acknowledges the answer alone',
      operation: 'POST /api/rtc/ack',
      as: 'invitee',
      note: 'One by one, for who uses signals in another order than they came in.',
      body: { connection: '{{invitee_connection}}', seqs: [number('answer_seq')] },
      status: 200,
      tests: { 'one was not, before': 'pm.expect(answer.acknowledged).to.eql(1)' },
    },
    {
      name: 'Ben sends his candidates',
      operation: 'POST /api/rtc/signals',
      as: 'invitee',
      note: 'As they are found, or several at once; the last one says that there are no more.',
      body: {
        connection: '{{invitee_connection}}',
        first_seq: 2,
        signals: [
          { ...toOwner, type: 'candidates', payload: [candidate('192.0.2.2'), candidate('198.51.100.2')] },
          { ...toOwner, type: 'end_of_candidates', payload: null },
        ],
      },
      status: 200,
      tests: {
        'all are stored': "pm.expect(answer.results.map(({ status }) => status)).to.eql(['queued', 'queued'])",
      },
    },
    {
      name: 'Ada reads on, and acknowledges by the way',
      operation: 'GET /api/rtc/inbox',
      as: 'owner',
      note: '`ack` spares the other call: what was read before is used, the next, please.',
      query: { connection: '{{owner_connection}}', after: '{{owner_cursor}}', ack: '{{owner_cursor}}', wait: '25' },
      status: 200,
      tests: {
        'the candidates, and that they are all':
          "pm.expect(answer.signals.map(({ type }) => type)).to.eql(['candidates', 'end_of_candidates'])",
        'in the ICE session of Ben’s offer': "pm.expect(answer.signals[0].ice_session).to.eql('benU')",
      },
      keep: { owner_cursor: 'answer.cursor' },
    },
    {
      name: 'Ben says that he is still there, and how it sounds',
      operation: 'POST /api/meetings/{meeting_id}/heartbeat',
      as: 'invitee',
      note: 'The measures come from `getStats`, and are kept with the attendance.',
      body: { connection: '{{invitee_connection}}', quality: { rtt_ms: 42, loss: 0.01, bitrate: 64000 } },
      status: 200,
      tests: { 'he is inside': "pm.expect(answer.state).to.eql('inside')" },
    },
    {
      name: 'Ben’s network was away',
      operation: 'POST /api/rtc/resume',
      as: 'invitee',
      body: {
        connection: '{{invitee_connection}}',
        resume_token: '{{invitee_resume_token}}',
        cursor: number('invitee_cursor'),
      },
      status: 200,
      tests: {
        'nothing was lost': 'pm.expect(answer.gaps).to.eql([])',
        'three of his have arrived, the next is the fourth': 'pm.expect(answer.inbox.send_next).to.eql(4)',
        'Ada and Grace are still there': 'pm.expect(answer.roster).to.have.lengthOf(2)',
      },
      keep: { invitee_resume_token: 'answer.connection.resume_token', invitee_cursor: 'answer.inbox.cursor' },
    },
  ],
}
