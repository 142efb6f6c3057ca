import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    globalSetup: ['@archiver/testkit/global-setup'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    // A condition is waited for as long as a busy machine needs.
    expect: { poll: { timeout: 30_000 } },
  },
})
