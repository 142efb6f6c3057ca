import { randomBytes } from 'node:crypto'
import { describe, it } from 'vitest'
import { lifecycleChecks } from './lifecycle-checks.js'
import { recoveryChecks } from './recovery-checks.js'
import { safetyChecks } from './safety-checks.js'
import { storeChecks } from './store-checks.js'
import type { ConformanceSubject } from './subject.js'
import { type Check, Workbench } from './workbench.js'

/** Every promise of `Archiver` that the suite puts to the test. */
export const checks: readonly Check[] = [...lifecycleChecks, ...storeChecks, ...recoveryChecks, ...safetyChecks]

/**
 * Registers the suite with vitest: one test a promise, each on a table of its own. Start what the archive needs in
 * hooks of your own; `subject` is first called when the tests run.
 */
export function describeArchiver(name: string, subject: ConformanceSubject): void {
  describe(`${name} keeps the contract of Archiver`, () => {
    for (const check of checks) it(check.name, () => runCheck(check, subject))
  })
}

/** Runs one check by itself, on a table of its own; rejects if the promise is broken. */
export async function runCheck(check: Check, subject: ConformanceSubject): Promise<void> {
  await using bench = new Workbench(subject, `conformance_${randomBytes(8).toString('hex')}`)
  await check.run(bench)
}
