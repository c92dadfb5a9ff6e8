/**
 * "Look again at this topic." The table is the truth: a wake-up carries no data, and one that is lost costs the second
 * until the waiter looks again by itself. Other nodes are woken by postgres.ts, where the database can.
 */
export type Wakeups = ReturnType<typeof createWakeups>

export function createWakeups() {
  const listeners = new Map<string, Set<() => void>>()
  const followers = new Map<string, (id?: string, detail?: string) => void>()
  let tellOthers = (_topic: string) => {}
  let stopping = false

  /** Those who wait on this node. */
  function wake(topic: string): void {
    for (const heard of listeners.get(topic) ?? []) heard()
    const [kind = '', id, detail] = topic.split(' ')
    followers.get(kind)?.(id, detail)
  }

  function wakeAll(): void {
    for (const topic of listeners.keys()) wake(topic)
    for (const heard of followers.values()) heard()
  }

  return {
    wake,
    wakeAll,

    /** After the commit: whoever looks now must find what changed. */
    notify(topic: string): void {
      wake(topic)
      tellOthers(topic)
    },

    /** For what has been looked at here already. */
    tell: (topic: string): void => tellOthers(topic),
    /** Hears of every topic of a kind, `kind id detail`, as long as the node lives; without an id it may be any of them. */
    follow(kind: string, heard: (id?: string, detail?: string) => void): void {
      followers.set(kind, heard)
    },
    /** Hears of every topic that is rung here, to carry it further. */
    onNotify(tell: (topic: string) => void): void {
      tellOthers = tell
    },

    /** Listen, then look, then wait: what rings in between is not missed. */
    listen(topic: string, gone: AbortSignal) {
      let rung = false
      let wake = () => {
        rung = true
      }
      const heard = () => wake()
      const all = listeners.get(topic) ?? new Set()
      listeners.set(topic, all.add(heard))
      gone.addEventListener('abort', heard)

      return {
        /** True while there is reason to look again: false once the caller has gone or the node is to stop. */
        async within(ms: number): Promise<boolean> {
          if (!rung && !gone.aborted && !stopping) {
            await new Promise<void>(resolve => {
              const timer = setTimeout(resolve, ms)
              wake = () => {
                clearTimeout(timer)
                resolve()
              }
            })
          }
          rung = false
          wake = () => {
            rung = true
          }
          return !gone.aborted && !stopping
        },

        [Symbol.dispose]() {
          gone.removeEventListener('abort', heard)
          all.delete(heard)
          if (all.size === 0) listeners.delete(topic)
        },
      }
    },

    /** Nobody waits any more, and nobody begins to. */
    stop(): void {
      stopping = true
      wakeAll()
    },
  }
}
