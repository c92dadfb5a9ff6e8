import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Log } from '../../kernel/log.ts'

const run = promisify(execFile)

/**
 * What a browser records has no index: players cannot jump in it, and do not know how long it is. Where ffmpeg is on this
 * machine, a copy is made that has one. It reads what strangers have uploaded, so it is told what that is instead of
 * guessing, may open files and nothing else, and has limited time.
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
    async makeSeekable(from: string, to: string, content_type: string): Promise<boolean> {
      const format = formats[baseType(content_type)]
      if (!format || !(await isThere())) return false
      const safe = ['-v', 'error', '-nostdin', '-protocol_whitelist', 'file', '-f', format.reads]
      try {
        await run('ffmpeg', [...safe, '-i', from, '-map', '0', '-c', 'copy', ...format.writes, to], limits)
        return true
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
        return Number.isFinite(seconds) ? Math.round(seconds * 1000) : null
      } catch (error) {
        log.warn({ err: error }, 'the duration of a recording is not known')
        return null
      }
    },
  }
}

export const baseType = (content_type: string): string => content_type.split(';')[0]?.trim() ?? ''
