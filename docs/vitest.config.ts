import { defineConfig } from 'vitest/config'
import { testDefaults } from '../vitest.shared.ts'

export default defineConfig({ test: { ...testDefaults, include: ['test/**/*.test.ts'], testTimeout: 600_000 } })
