import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Where vitest's JSON report goes, in the folder of the suite. */
export const reportFile = 'test-results/vitest.json'

/** Vitest's arguments for output on the terminal and a report in {@link reportFile}. */
export const reporterArgs = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]

/** Removes the report of an earlier run, so that it cannot pass for this one's. */
export function removeReport(folder) {
  rmSync(join(folder, reportFile), { force: true })
}

/**
 * The counts of one suite. One that crashed before it reported, ran no test, or failed outside its tests counts as a
 * failed test: nothing that went wrong may look like "0 failed".
 *
 * @returns {{ passed: number, failed: number, skipped: number, problem?: string }}
 */
export function suiteTotals(folder) {
  const report = read(folder)
  if (!report) return { passed: 0, failed: 1, skipped: 0, problem: 'ended before it reported' }
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests, success } = report
  const skipped = numPendingTests + numTodoTests
  if (passed + numFailedTests + skipped === 0) return { passed, failed: 1, skipped, problem: 'ran no test' }
  const outside = !success && numFailedTests === 0
  return {
    passed,
    failed: numFailedTests + (outside ? 1 : 0),
    skipped,
    ...(outside && { problem: 'failed outside its tests' }),
  }
}

function read(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, reportFile), 'utf8'))
  } catch {
    return undefined
  }
}

/** The sum over all suites, as the one line that ends `npm test`. */
export function summaryLine(totals) {
  const sum = (key) => totals.reduce((total, suite) => total + suite[key], 0)
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
}
