import type { TestContext } from 'vitest'
import type { Reporter } from 'vitest/node'

/** What this machine cannot do is neither green nor red: it is said, once where it stands and once at the end. */

type Cannot = { cannot: string }

/** What is asked for, or this test is not run, and the reason is told. */
export function orNotRun<Thing extends object>({ skip }: Pick<TestContext, 'skip'>, thing: Thing | Cannot): Thing {
  return 'cannot' in thing ? skip(`not run: ${thing.cannot}`) : thing
}

export const sayWhatDidNotRun: Reporter = {
  onTestRunEnd(modules) {
    for (const test of modules.flatMap(module => [...module.children.allTests('skipped')])) {
      const result = test.result()
      const note = result.state === 'skipped' && result.note ? result.note : 'not run'
      process.stdout.write(`${note} – ${test.fullName}\n`)
    }
  },
}
