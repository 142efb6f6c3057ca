import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    // Against the real service, where one has it: npm run test:live.
    exclude: ['src/live.test.ts'],
    globalSetup: ['@archiver/testkit/global-setup'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
})
