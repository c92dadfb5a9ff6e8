import type { Meeting } from '../meetings/schema.ts'
import type { AttendanceRow } from '../presence/store.ts'
import type { RecordingRow } from './store.ts'

/** What the mocked recorder writes: who was there and when, and no sound or picture. */
export function textOfMock(
  recording: RecordingRow,
  meeting: Pick<Meeting, 'id' | 'title'>,
  attendances: Pick<AttendanceRow, 'participant_id' | 'display_name' | 'joined_at' | 'left_at'>[],
): string {
  const { id, session_id, started_at, participants } = recording
  const ended_at = recording.ended_at ?? started_at
  const there = new Set(participants.map(participant => participant.id))
  const came = attendances.filter(
    ({ participant_id, joined_at }) => !there.has(participant_id) && joined_at >= started_at && joined_at <= ended_at,
  )
  const later = [...new Map(came.map(each => [each.participant_id, each])).values()]
  return [
    'PARLEY MOCKED RECORDING',
    'This is a text in the place of a recording: nobody was heard or seen.',
    '',
    `Meeting     ${meeting.title}`,
    `            ${meeting.id}`,
    `Session     ${session_id}`,
    `Recording   ${id}`,
    `Began       ${started_at}`,
    `Ended       ${ended_at}`,
    '',
    'There when it began:',
    ...list(participants.map(({ id, display_name }) => `${display_name} (${id})`)),
    '',
    'Came later:',
    ...list(
      later.map(({ participant_id, display_name, joined_at }) => `${display_name} (${participant_id}), ${joined_at}`),
    ),
    '',
  ].join('\n')
}

const list = (lines: string[]): string[] => (lines.length > 0 ? lines.map(line => `  - ${line}`) : ['  nobody'])
