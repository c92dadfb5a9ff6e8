import type { Draft } from './engine.ts'

/** What there is when nobody was heard and nothing was written: a sample, which says in every text that it is one. */

export const mockedTranscript = [
  'This transcript is mocked: nothing was transcribed in this session, and nothing was written in its chat.',
  'Speaker 1 (mocked): Welcome, everybody. This line was never said.',
  'Speaker 2 (mocked): I will send the minutes by Friday. This line was never said, either.',
].join('\n')

export const mockedDraft: Draft = {
  summary: 'These notes are mocked, for there was no transcript and no chat to make them of.',
  key_points: [{ text: 'Mocked: here the most telling sentences would be quoted.', cues: [] }],
  action_items: [{ text: 'Mocked: here would be what somebody has promised to do.' }],
  sentiment: 'neutral',
}
