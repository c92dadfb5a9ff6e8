import { route } from '../../http/route.ts'
import { NotFound } from '../../kernel/problem.ts'
import { Banned, NotAdmitted, OfMeeting } from '../meetings/schema.ts'
import { NoSession, NotThere } from '../presence/schema.ts'
import { Added, AddTranscript, OfSession, Transcript, TranscriptClosed, TranscriptFull } from './schema.ts'
import type { Transcripts } from './service.ts'
import { parseVtt } from './vtt.ts'

const ofWitness = [NotFound, NotAdmitted, Banned, NoSession, NotThere]

export const transcriptRoutes = (transcripts: Transcripts) => [
  route('POST /api/meetings/:meeting_id/transcript', {
    summary: 'Add to the transcript',
    description:
      'What was said, as segments or as WebVTT, by whoever was there and until a day after the session. What is there ' +
      'already is not added again, so the same may be sent until it is answered. A `<v Name>` names the speaker.',
    access: 'participant',
    params: OfMeeting,
    query: OfSession,
    body: AddTranscript,
    body_limit: 1024 * 1024,
    reads: { 'text/vtt': text => ({ segments: parseVtt(text) }) },
    reply: { 200: Added },
    problems: [...ofWitness, TranscriptClosed, TranscriptFull],
    handle: ({ caller, params, query, body }) => transcripts.add(caller, params.meeting_id, query, body),
  }),
  route('GET /api/meetings/:meeting_id/transcript', {
    summary: 'Read the transcript',
    description: 'Of one session, in order; as JSON, WebVTT or SubRip. For who was there, and for hosts.',
    access: 'participant',
    params: OfMeeting,
    query: OfSession,
    reply: { 200: Transcript },
    also: {
      'text/vtt': ({ caller, params, query }) => transcripts.asVtt(caller, params.meeting_id, query),
      'application/x-subrip': ({ caller, params, query }) => transcripts.asSrt(caller, params.meeting_id, query),
    },
    problems: ofWitness,
    handle: ({ caller, params, query }) => transcripts.get(caller, params.meeting_id, query),
  }),
]
