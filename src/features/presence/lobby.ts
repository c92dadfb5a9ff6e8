import { type Db, inTransaction } from '../../db/transaction.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Wakeups } from '../../wakeups/local.ts'
import * as participants from '../meetings/participant-store.ts'
import type { Participant } from '../meetings/schema.ts'
import * as store from './store.ts'

interface Deps {
  db: Db
  clock: Clock
  wakeups: Wakeups
  presence_timeout_s: number
}

const longestWait_s = 25

export type Lobby = ReturnType<typeof createLobby>

const topicOf = (participant_id: string): string => `lobby ${participant_id}`

/** Waiting for a host, and being told that there is news. */
export function createLobby({ db, clock, wakeups, presence_timeout_s }: Deps) {
  return {
    /** Looks again when the bell rings, and each second, in case it rang on another node. */
    async waitForHost({ id, meeting_id }: Participant, wait_s: number, gone: AbortSignal): Promise<void> {
      using bell = wakeups.listen(topicOf(id), gone)
      const until = performance.now() + Math.min(wait_s, longestWait_s) * 1000
      for (let looks = 1; await stillWaits(meeting_id, id); looks++) {
        const left = until - performance.now()
        if (left <= 0 || !(await bell.within(Math.min(left, 1000)))) return
        if (looks % Math.ceil(presence_timeout_s / 3) === 0) await stayInSight(id)
      }
    },

    /** After the commit of whatever has become of these people. */
    ring(participant_ids: string[]): void {
      for (const id of participant_ids) wakeups.notify(topicOf(id))
    },
  }

  /** Who has been let in before there is anything to be in waits for that. */
  async function stillWaits(meeting_id: string, id: string): Promise<boolean> {
    const person = await participants.find(db, meeting_id, id)
    if (person?.state === 'admitted') return (await store.findLive(db, meeting_id)) === undefined
    return person?.state === 'waiting'
  }

  async function stayInSight(id: string): Promise<void> {
    await inTransaction(db, db => participants.change(db, id, ['waiting', 'admitted'], { seen_at: clock.now() }))
  }
}
