import { defineConfig } from 'vitest/config'
import { sayWhatDidNotRun } from './test/crash/not-run.ts'

/** What takes minutes, kills processes and needs privileges: one after the other, and apart from the ordinary suite. */

const outputFile = process.env.TEST_REPORT

export default defineConfig({
  test: {
    include: ['test/crash/**/*.crash.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/template.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 60_000,
    reporters: outputFile ? ['verbose', sayWhatDidNotRun, ['json', { outputFile }]] : ['verbose', sayWhatDidNotRun],
  },
})
