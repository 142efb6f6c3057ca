import { defineConfig } from 'vitest/config'
import { testDefaults } from '../../vitest.shared.ts'

export default defineConfig({
  test: {
    ...testDefaults,
    include: ['src/**/*.test.ts'],
    // The mutants replace functions of the system that the format uses.
    server: { deps: { inline: [/packages\/avro\//] } },
  },
})
