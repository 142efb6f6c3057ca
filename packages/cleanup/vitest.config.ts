import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    globalSetup: ['@archiver/testkit/global-setup'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    // A condition is waited for as long as a busy machine needs.
    expect: { poll: { timeout: 30_000 } },
  },
})
