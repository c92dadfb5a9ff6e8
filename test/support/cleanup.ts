import { afterAll, onTestFinished } from 'vitest'

/** Runs when the test is done that calls this, or when the file is, if it is called outside of a test. */
export function whenDone(work: () => unknown): void {
  const cleanUp = async () => {
    await work()
  }
  try {
    onTestFinished(cleanUp)
  } catch {
    afterAll(cleanUp)
  }
}
