import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Log } from '../../kernel/log.ts'
import { baseType } from './schema.ts'

const run = promisify(execFile)

/**
 * What a browser records has no index: players cannot jump in it, and do not know how long it is. Where ffmpeg is on this
 * machine, a copy is made that has one. It reads what strangers have uploaded, so it is told what that is instead of
 * guessing, may open files and nothing else, and has limited time and room.
 */
export type Ffmpeg = ReturnType<typeof createFfmpeg>

const formats: { [type: string]: { reads: string; writes: string[] } } = {
  'video/webm': { reads: 'matroska', writes: ['-f', 'webm'] },
  'audio/webm': { reads: 'matroska', writes: ['-f', 'webm'] },
  'video/x-matroska': { reads: 'matroska', writes: ['-f', 'matroska'] },
  'video/mp4': { reads: 'mov', writes: ['-f', 'mp4', '-movflags', '+faststart'] },
  'audio/mp4': { reads: 'mov', writes: ['-f', 'mp4', '-movflags', '+faststart'] },
  'audio/ogg': { reads: 'ogg', writes: ['-f', 'ogg'] },
}

/** A month; whatever claims to be longer lies. */
const longest_ms = 31 * 24 * 3600_000

const limits = { timeout: 300_000, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const

export function createFfmpeg(log: Log) {
  let there: Promise<boolean> | undefined

  const isThere = () => {
    there ??= run('ffmpeg', ['-version'], limits).then(
      () => true,
      () => false, // it is not asked for: what it does is a kindness
    )
    return there
  }

  return {
    /** False where it cannot be made, which takes nothing from the recording itself. */
    async makeSeekable(
      from: string,
      to: string,
      { content_type, most }: { content_type: string; most: number },
    ): Promise<boolean> {
      const format = formats[baseType(content_type)]
      if (!format || !(await isThere())) return false
      const safe = ['-v', 'error', '-nostdin', '-protocol_whitelist', 'file', '-f', format.reads]
      try {
        // A file can be made so that its copy is a thousand times as large.
        const bounded = ['-fs', `${most}`]
        await run('ffmpeg', [...safe, '-i', from, '-map', '0', '-c', 'copy', ...bounded, ...format.writes, to], limits)
        return (await stat(to)).size < most * 0.99
      } catch (error) {
        log.warn({ err: error }, 'no seekable copy of a recording could be made')
        return false
      }
    },

    async durationOf(path: string): Promise<number | null> {
      try {
        const asked = [
          '-v',
          'error',
          '-protocol_whitelist',
          'file',
          '-show_entries',
          'format=duration',
          '-of',
          'csv=p=0',
        ]
        const { stdout } = await run('ffprobe', [...asked, path], limits)
        const seconds = Number.parseFloat(stdout)
        const ms = Math.round(seconds * 1000)
        return ms >= 0 && ms < longest_ms ? ms : null
      } catch (error) {
        log.warn({ err: error }, 'the duration of a recording is not known')
        return null
      }
    },
  }
}
