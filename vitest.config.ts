import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/template.ts'],
    // Threads that share their modules start ten times faster; so nothing in src/ keeps state in a module.
    pool: 'threads',
    isolate: false,
    maxWorkers: 2, // also on two cores, where the usual number is one: much of the time is spent waiting
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
