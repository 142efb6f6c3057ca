import { defineConfig } from 'vitest/config'
import { testDefaults } from '../../vitest.shared.ts'

export default defineConfig({
  test: {
    ...testDefaults,
    include: ['src/**/*.test.ts'],
    // Against the real service, where one has it: npm run test:live.
    exclude: ['src/live.test.ts'],
    globalSetup: ['@archiver/testkit/global-setup'],
  },
})
