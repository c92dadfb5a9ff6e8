import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/template.ts'],
    // Threads that share their modules start ten times faster; so nothing in src/ keeps state in a module.
    pool: 'threads',
    isolate: false,
    // Also on two cores, where the usual number is one: much of the time is spent waiting, and most of it where files are.
    maxWorkers: process.env.TEST_DATABASE_URL ? 2 : 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
