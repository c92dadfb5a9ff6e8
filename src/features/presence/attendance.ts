import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Caller } from '../../kernel/caller.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Page } from '../../kernel/fields.ts'
import { requireHost } from '../meetings/standing.ts'
import type { Attendance, MeasuredQuality, Quality } from './schema.ts'
import * as store from './store.ts'

const columns = [
  'display_name',
  'role',
  'joined_at',
  'left_at',
  'minutes',
  'end_reason',
  'device',
  'medium',
  'participant_id',
  'session_id',
] as const

export function createAttendance({ db, clock }: { db: Db; clock: Clock }) {
  async function list(caller: Caller, meeting_id: string, page: Page) {
    await requireHost(db, caller, meeting_id)
    const { data, next_cursor } = await store.listAttendances(db, meeting_id, page)
    return { data: data.map(row => shownAttendance(row, clock)), next_cursor }
  }

  return {
    list,

    /** All of it, for a spreadsheet. */
    async asCsv(caller: Caller, meeting_id: string): Promise<string> {
      const lines = [columns.join(',')]
      let cursor: string | undefined
      do {
        const page = await list(caller, meeting_id, { limit: 100, cursor })
        lines.push(...page.data.map(row => columns.map(column => cell(row[column])).join(',')))
        cursor = page.next_cursor ?? undefined
      } while (cursor !== undefined)
      return `${lines.join('\r\n')}\r\n`
    },

    /** Kept are the worst and the mean of what a connection has reported. */
    async measure(attendance_id: string, quality: Quality): Promise<void> {
      await inTransaction(db, async db => {
        const row = await store.lockAttendance(db, attendance_id)
        if (row) await store.setQuality(db, attendance_id, withSample(row.quality ?? {}, quality))
      })
    },
  }
}

function withSample(known: MeasuredQuality, { rtt_ms, loss, bitrate }: Quality): MeasuredQuality {
  return {
    ...known,
    ...(rtt_ms === undefined ? {} : { rtt_ms: measured(known.rtt_ms, rtt_ms, Math.max) }),
    ...(loss === undefined ? {} : { loss: measured(known.loss, loss, Math.max) }),
    ...(bitrate === undefined ? {} : { bitrate: measured(known.bitrate, bitrate, Math.min) }),
  }
}

function measured(known: MeasuredQuality['loss'], value: number, worse: (a: number, b: number) => number) {
  const { worst, mean, samples } = known ?? { worst: value, mean: 0, samples: 0 }
  return { worst: worse(worst, value), mean: mean + (value - mean) / (samples + 1), samples: samples + 1 }
}

export function shownAttendance(row: store.AttendanceRow, clock: Clock): Attendance {
  const { tenant_id: _, meeting_id: __, ...shown } = row
  const span_ms = (row.left_at === null ? clock.millis() : Date.parse(row.left_at)) - Date.parse(row.joined_at)
  return { ...shown, minutes: Math.round(Math.max(0, span_ms) / 600) / 100 }
}

/** Quoted, and never a formula: a spreadsheet would run what a guest called themselves. */
function cell(value: string | number | null): string {
  const text = String(value ?? '')
  const harmless = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
