import { defineConfig } from 'vitest/config'
import { sayWhatDidNotRun } from './test/crash/not-run.ts'

/** Real browsers, which take a while to start and cores to decode: one file after the other. */

const outputFile = process.env.TEST_REPORT

export default defineConfig({
  test: {
    include: ['test/browsers/**/*.browser.ts'],
    globalSetup: 'test/support/build.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    reporters: outputFile ? ['verbose', sayWhatDidNotRun, ['json', { outputFile }]] : ['verbose', sayWhatDidNotRun],
  },
})
