import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['src/live.test.ts'], testTimeout: 300_000 } })
