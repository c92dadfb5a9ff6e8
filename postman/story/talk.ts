import type { Chapter } from '../step.ts'

export const talk: Chapter = {
  name: '5 · What is said',
  says: 'Chat, which comes through the inboxes as well, and the transcript, as a captioner hears it.',
  steps: [
    {
      name: 'Ada writes a message',
      operation: 'POST /api/meetings/{meeting_id}/messages',
      as: 'owner',
      body: { text: 'Grace, can you book the room for Friday?', connection: '{{owner_connection}}' },
      status: 201,
      tests: {
        'it is the first': 'pm.expect(answer.number).to.eql(1)',
        'and hers': 'pm.expect(answer.display_name).to.eql({{owner_name}})',
      },
      keep: { message_id: 'answer.id' },
    },
    {
      name: 'Grace replies',
      operation: 'POST /api/meetings/{meeting_id}/messages',
      as: 'guest',
      note: 'A text is plain text: show it as such, whatever is in it.',
      body: { text: 'I will <b>book</b> it today.' },
      status: 201,
      tests: { 'it is as she wrote it': "pm.expect(answer.text).to.eql('I will <b>book</b> it today.')" },
    },
    {
      name: 'Ben has the chat in his inbox',
      operation: 'GET /api/rtc/inbox',
      as: 'invitee',
      note: 'Whoever reads their inbox need not ask for messages as well.',
      query: { connection: '{{invitee_connection}}', after: '{{invitee_cursor}}', wait: '25' },
      status: 200,
      where: { chat: "answer.signals.filter(({ type }) => type === 'chat')" },
      tests: {
        'both messages': 'pm.expect(chat).to.have.lengthOf(2)',
        'the first is Ada’s': 'pm.expect(chat[0].payload.id).to.eql({{message_id}})',
      },
      keep: { invitee_cursor: 'answer.cursor' },
    },
    {
      name: 'Ben reads all that was written',
      operation: 'GET /api/meetings/{meeting_id}/messages',
      as: 'invitee',
      query: { session_id: '{{session_id}}' },
      status: 200,
      tests: { 'in its order': 'pm.expect(answer.data.map(({ number }) => number)).to.eql([1, 2])' },
    },
    {
      name: 'A captioner adds to the transcript',
      operation: 'POST /api/meetings/{meeting_id}/transcript',
      as: 'owner',
      note: 'Milliseconds count from the beginning of the session.',
      body: {
        segments: [
          {
            participant_id: '{{invitee_participant}}',
            start_ms: 1000,
            end_ms: 4000,
            text: 'I will send the agenda by Monday.',
          },
          {
            speaker: '{{owner_name}}',
            start_ms: 4500,
            end_ms: 9000,
            text: 'We decided to move the launch to the first week of August.',
          },
        ],
      },
      status: 200,
      tests: { 'both are new': 'pm.expect(answer).to.include({ added: 2, duplicates: 0 })' },
    },
    {
      name: 'A captioner that speaks WebVTT adds to it',
      operation: 'POST /api/meetings/{meeting_id}/transcript',
      as: 'owner',
      note: 'The first cue here is there already.',
      headers: { 'Content-Type': 'text/vtt' },
      body: [
        'WEBVTT',
        '',
        '00:01.000 --> 00:04.000',
        '<v {{invitee_name}}>I will send the agenda by Monday.',
        '',
        '00:10.000 --> 00:13.000',
        '<v {{guest_name}}>That is a great plan, thank you.',
        '',
      ].join('\n'),
      status: 200,
      tests: { 'one is new': 'pm.expect(answer).to.include({ added: 1, duplicates: 1 })' },
    },
    {
      name: 'Ben reads the transcript',
      operation: 'GET /api/meetings/{meeting_id}/transcript',
      as: 'invitee',
      status: 200,
      tests: {
        'who said what, in order':
          'pm.expect(answer.segments.map(({ speaker }) => speaker)).to.eql([{{invitee_name}}, {{owner_name}}, {{guest_name}}])',
        'a name was matched with who was there':
          'pm.expect(answer.segments[2].participant_id).to.eql({{guest_participant}})',
      },
    },
    {
      name: 'Ben reads it as WebVTT',
      operation: 'GET /api/meetings/{meeting_id}/transcript',
      as: 'invitee',
      note: 'For a `<track>` beside the recording; `application/x-subrip` is SubRip.',
      headers: { Accept: 'text/vtt' },
      status: 200,
      tests: {
        'it is WebVTT': 'pm.expect(body).to.match(/^WEBVTT/)',
        'with its type': "pm.expect(pm.response.headers.get('Content-Type')).to.include('text/vtt')",
        'and voices': "pm.expect(body).to.include('<v ' + {{guest_name}})",
      },
    },
  ],
}
