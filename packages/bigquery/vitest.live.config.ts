import { defineConfig } from 'vitest/config'

/** Against the real BigQuery: see README.md. */
export default defineConfig({ test: { include: ['src/live.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 } })
