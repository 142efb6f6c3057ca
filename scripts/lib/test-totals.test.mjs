import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeReport, reportFile, suiteTotals, summaryLine } from './test-totals.mjs'

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'totals-'))
  mkdirSync(dirname(join(folder, reportFile)))
})
afterEach(() => rmSync(folder, { recursive: true }))

function report(counts) {
  const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true }
  writeFileSync(join(folder, reportFile), JSON.stringify({ ...none, ...counts }))
}

test('counts what vitest counted', () => {
  report({ numPassedTests: 3, numFailedTests: 1, numPendingTests: 2, success: false })
  expect(suiteTotals(folder)).toEqual({ passed: 3, failed: 1, skipped: 2 })
})

test.each([
  ['ran no test', {}],
  ['failed outside its tests', { numPassedTests: 3, success: false }],
])('a suite that %s has failed', (problem, counts) => {
  report(counts)
  expect(suiteTotals(folder)).toMatchObject({ failed: 1, problem })
})

test('a suite that wrote no report, or half of one, has failed', () => {
  expect(suiteTotals(folder).failed).toBe(1)
  writeFileSync(join(folder, reportFile), '{"numPassed')
  expect(suiteTotals(folder)).toMatchObject({ failed: 1, problem: 'ended before it reported' })
})

test('an earlier report does not count', () => {
  report({ numPassedTests: 3 })
  removeReport(folder)
  expect(suiteTotals(folder).failed).toBe(1)
})

test('the last line sums over all suites', () => {
  const totals = [
    { passed: 3, failed: 1, skipped: 0 },
    { passed: 2, failed: 0, skipped: 4 },
  ]
  expect(summaryLine(totals)).toBe('5 passed, 1 failed, 4 skipped')
})
