import { fileURLToPath } from 'node:url'

/** What the tests of every package have in common; a package's vitest.config.ts adds what is its own. */
export const testDefaults = {
  testTimeout: 60_000,
  hookTimeout: 300_000,
  // A condition is waited for as long as a busy machine needs.
  expect: { poll: { timeout: 30_000 } },
  // Only what differs, and of thousands of lines the first: the reporter cuts off the others.
  diff: { expand: false, contextLines: 3 },
  reporters: ['default', fileURLToPath(new URL('scripts/lib/short-diffs.mjs', import.meta.url))],
}
