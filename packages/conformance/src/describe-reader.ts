import { randomBytes } from 'node:crypto'
import { describe, it } from 'vitest'
import { fileChecks } from './file-checks.js'
import { harmChecks } from './harm-checks.js'
import { type ReadCheck, readChecks } from './read-checks.js'
import { ReaderBench } from './reader-bench.js'
import type { ReaderSubject } from './reader-subject.js'
import { scanChecks } from './scan-checks.js'

/**
 * Registers the suite of those archives that can be read back: each is read as it was stored, and the verification finds
 * every harm that is done to it. One test a promise, each on a table of its own.
 */
export function describeReader(name: string, subject: ReaderSubject): void {
  describe(`${name} can be read back and verified`, () => {
    for (const check of readerChecks) {
      if (subject.files !== undefined || !check.needsFiles) it(check.name, () => runReadCheck(check, subject))
    }
  })
}

/** Every promise of `ArchiveReader` and of the verification that the suite puts to the test. */
export const readerChecks: readonly ReadCheck[] = [...readChecks, ...scanChecks, ...harmChecks, ...fileChecks]

/** Runs one check by itself; rejects if the promise is broken. */
export async function runReadCheck(check: ReadCheck, subject: ReaderSubject): Promise<void> {
  await using bench = new ReaderBench(subject, `conformance_${randomBytes(8).toString('hex')}`)
  await check.run(bench)
}
