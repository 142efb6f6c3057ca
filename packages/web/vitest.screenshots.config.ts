import { defineConfig } from 'vitest/config'

/** `pnpm run screenshots`: the pictures of the documentation. */
export default defineConfig({
  test: {
    include: ['src/**/*.shots.ts'],
    globalSetup: ['@archiver/testkit/global-setup'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
})
