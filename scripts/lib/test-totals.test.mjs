import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root, run, toolEnv } from './steps.mjs'
import { endingLines, removeReport, reporterArgs, reportFile, suiteTotals, summaryLine } from './test-totals.mjs'

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'totals-'))
  mkdirSync(dirname(join(folder, reportFile)))
})
afterEach(() => rmSync(folder, { recursive: true }))

function report(counts) {
  writeFileSync(join(folder, reportFile), JSON.stringify({ passed: 0, failed: 0, skipped: 0, notRun: 0, ...counts }))
}

test('counts what the reporter counted', () => {
  report({ passed: 3, failed: 1, skipped: 2 })
  expect(suiteTotals(folder)).toMatchObject({ passed: 3, failed: 1, skipped: 2 })
})

test('a suite that ran no test has failed', () => {
  report({})
  expect(suiteTotals(folder)).toMatchObject({ failed: 1, problem: 'ran no test' })
})

test('a suite that wrote no report, or half of one, has failed', () => {
  expect(suiteTotals(folder).failed).toBe(1)
  writeFileSync(join(folder, reportFile), '{"passed')
  expect(suiteTotals(folder)).toMatchObject({ failed: 1, problem: 'ended before it reported' })
})

test('an earlier report does not count', () => {
  report({ passed: 3 })
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

test('the end says what was skipped, because of what, and how to get it: each cause once', () => {
  const git = { reason: 'No git: not found on PATH', hint: 'Install it.' }
  const skips = [
    { name: 'a.test.ts > releases', missing: [git, { reason: 'Not root', hint: '' }] },
    { name: 'b.test.ts > pages', missing: [git] },
    { name: 'c.test.ts > opt-in', missing: [{ reason: '', hint: '' }] },
  ]
  expect(endingLines([{ name: '@archiver/docs', passed: 1, failed: 0, skipped: 3, skips }])).toEqual([
    'What was skipped, and why:',
    '  No git: not found on PATH (2 skipped)',
    '    How to get it: Install it.',
    '    - @archiver/docs: a.test.ts > releases',
    '    - @archiver/docs: b.test.ts > pages',
    '  Not root (1 skipped)',
    '    - @archiver/docs: a.test.ts > releases',
    '  The test gives no reason (1 skipped)',
    '    - @archiver/docs: c.test.ts > opt-in',
  ])
})

describe('of a run of vitest', () => {
  async function runOf(files) {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { VITEST: _, ...env } = toolEnv
    const { code, output } = await run('vitest', ['run', ...reporterArgs], { cwd: folder, env })
    return { code, output, totals: suiteTotals(folder) }
  }
  const imports = "import { beforeAll, describe, expect, test } from 'vitest'\n"
  const patient = { timeout: 120_000 }

  test(
    'a file and a hook that fail are failures, and what they kept from running is not skipped',
    patient,
    async () => {
      const hook = `${imports}
      test('runs', () => {})
      test.skip('later', () => {})
      test('elsewhere', ({ skip }) => skip('not here'))
      describe('with a server', () => {
        beforeAll(() => { throw new Error('no server\\nat all') })
        test('one', () => {})
        describe('deeper', () => test('two', () => {}))
        test.skip('three', () => {})
      })
      test.skip('suite', { meta: { missing: [{ reason: 'No git', hint: 'Install it.' }] } }, () => {})`
      const files = { 'hook.test.js': hook, 'file.test.js': "throw new TypeError('at once')" }
      const { code, totals } = await runOf(files)
      expect(code).toBe(1)
      expect(totals).toMatchObject({ passed: 1, failed: 2, skipped: 4, notRun: 2 })
      expect(totals.broken).toEqual(
        expect.arrayContaining([
          { name: 'hook.test.js > with a server', error: 'no server' },
          { name: 'file.test.js', error: 'at once' },
        ]),
      )
      expect(totals.skips.map(({ missing }) => missing[0].reason)).toEqual(['', 'not here', '', 'No git'])
      expect(endingLines([{ name: 'x', ...totals }]).at(-1)).toBe(
        '2 tests were not run, because what comes before them failed.',
      )
    },
  )

  test('an error outside of any test is a failure', patient, async () => {
    const late = `${imports} test('passes', async () => {
      setTimeout(() => { throw new Error('too late') })
      await new Promise((resolve) => setTimeout(resolve, 50))
    })`
    const { totals } = await runOf({ 'late.test.js': late })
    expect(totals).toMatchObject({ passed: 1, failed: 1, broken: [{ error: 'too late' }] })
  })

  test('a comparison that fails shows its first difference, not all of them', patient, async () => {
    const large = `${imports} test('rows', () => {
      const rows = Array.from({ length: 5000 }, (_, id) => ({ id, score: 20, error: null }))
      expect(rows.map((row) => ({ ...row, score: row.id < 100 ? 20 : 19 }))).toEqual(rows)
    })`
    const config = `import { testDefaults } from '${root}/vitest.shared.ts'\nexport default { test: testDefaults }`
    const { output } = await runOf({ 'large.test.js': large, 'vitest.config.mjs': config })
    expect(output).toMatch(/^- +"score": 20,\n\+ +"score": 19,$/m)
    expect(output).toMatch(/… and \d\d,?\d+ more lines/)
    expect(output.split('\n').length).toBeLessThan(120)
  })
})
