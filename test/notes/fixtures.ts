import { readFileSync } from 'node:fs'
import type { Material } from '../../src/features/notes/engine.ts'
import type { ActionItem } from '../../src/features/notes/schema.ts'

/** Conversations as they may be had, with what somebody takes on in them marked on the line where it is said. */

interface Fixture {
  title: string
  people: string[]
  lines: [speaker: string, text: string, marked?: { who?: string; due?: string }][]
}

/** On these the engine was tuned. */
export const meetings = ['release', 'school', 'clinic', 'podcast', 'garden']
/** On this one it was not. */
export const heldOut = 'held-out'

export function readFixture(name: string): { material: Material; marked: ActionItem[] } {
  const fixture: Fixture = JSON.parse(readFileSync(`test/notes/fixtures/${name}.json`, 'utf8'))
  const marked = fixture.lines.flatMap(([, text, mark]) => (mark ? [{ text, ...mark }] : []))
  return { material: conversation(fixture.title, fixture.lines), marked }
}

/** What was said, by whom, a line every four seconds. */
export function conversation(
  title: string,
  lines: (readonly [speaker: string, text: string, ...unknown[]])[],
): Material {
  const names = [...new Set(lines.map(([speaker]) => speaker))]
  const idOf = (name: string) => `par_${names.indexOf(name)}`
  return {
    title,
    session: { id: 'ses_1', started_at: '2026-01-31T09:00:00.000Z', ended_at: null },
    people: names.map(display_name => ({ participant_id: idOf(display_name), display_name })),
    segments: lines.map(([speaker, text], i) => ({
      id: `seg_${i}`,
      participant_id: idOf(speaker),
      speaker,
      start_ms: i * 4000,
      end_ms: i * 4000 + 3500,
      text,
    })),
    messages: [],
  }
}
