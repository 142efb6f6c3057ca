import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the report of a run goes, in the folder of the suite. */
export const reportFile = 'test-results/totals.json'

const reporters = ['short-diffs.mjs', 'totals-reporter.mjs'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
)

/** Vitest's arguments for output on the terminal and a report in {@link reportFile}. */
export const reporterArgs = ['default', ...reporters].map((reporter) => `--reporter=${reporter}`)

/** Removes the report of an earlier run, so that it cannot pass for this one's. */
export function removeReport(folder) {
  rmSync(join(folder, reportFile), { force: true })
}

/**
 * @typedef {object} Totals of one suite
 * @property {number} passed
 * @property {number} failed tests, and files and hooks that failed outside of them
 * @property {number} skipped
 * @property {number} [notRun] tests whose file or hook failed before them
 * @property {{ name: string, error: string }[]} [broken] what failed outside of the tests
 * @property {{ name: string, missing: { reason: string, hint: string }[] }[]} [skips]
 * @property {string} [problem]
 */

/**
 * The counts of one suite. One that crashed before it reported, or ran no test, counts as a failed test: nothing that
 * went wrong may look like "0 failed".
 *
 * @returns {Totals}
 */
export function suiteTotals(folder, file = reportFile) {
  const report = read(resolve(folder, file))
  if (!report) return { passed: 0, failed: 1, skipped: 0, problem: 'ended before it reported' }
  const { passed, failed, skipped } = report
  if (passed + failed + skipped === 0) return { ...report, failed: 1, problem: 'ran no test' }
  return report
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * What was skipped, because of what, and how to get it; what failed outside of the tests, and how many were not run.
 *
 * @param {({ name: string } & Totals)[]} totals
 * @returns {string[]} lines
 */
export function endingLines(totals) {
  return [...skippedLines(totals), ...brokenLines(totals)]
}

function skippedLines(totals) {
  const skips = totals.flatMap(({ name, skips: found = [] }) =>
    found.flatMap((skip) => skip.missing.map((cause) => ({ ...cause, name: `${name}: ${skip.name}` }))),
  )
  // Map.groupBy() came with Node 21; this runs with the machine's own.
  const reasons = [...new Set(skips.map(({ reason }) => reason))]
  const causes = reasons.map((reason) => skips.filter((skip) => skip.reason === reason))
  return causes.length === 0 ? [] : ['What was skipped, and why:', ...causes.flatMap(causeLines)]
}

function causeLines(skips) {
  const [{ reason, hint }] = skips
  return [
    `  ${reason.trim().replaceAll('\n', '\n  ') || 'The test gives no reason'} (${skips.length} skipped)`,
    ...(hint ? [`    How to get it: ${hint}`] : []),
    ...skips.map(({ name }) => `    - ${name}`),
  ]
}

function brokenLines(totals) {
  const broken = totals.flatMap(({ name, broken: parts = [] }) =>
    parts.map((part) => `  - ${name}: ${part.name}: ${part.error}`),
  )
  const notRun = totals.reduce((sum, { notRun: count = 0 }) => sum + count, 0)
  return [
    ...(broken.length === 0 ? [] : ['What failed outside of its tests (each counts as a failure):', ...broken]),
    ...(notRun === 0 ? [] : [`${notRun} tests were not run, because what comes before them failed.`]),
  ]
}

/** The sum over all suites, as the one line that ends `npm test`. */
export function summaryLine(totals) {
  const sum = (key) => totals.reduce((total, suite) => total + suite[key], 0)
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
}
