import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const testkit = resolve(import.meta.dirname, '..')
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testkit-needs-'))
  await mkdir(join(folder, 'node_modules/@archiver'), { recursive: true })
  await symlink(testkit, join(folder, 'node_modules/@archiver/testkit'))
  await symlink(join(testkit, 'node_modules/vitest'), join(folder, 'node_modules/vitest'))
  await cp(join(testkit, 'tsconfig.json'), join(folder, 'tsconfig.json'))
})
afterEach(() => rm(folder, { recursive: true }))

interface Report {
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly meta: object }[]
  }[]
}

/** Runs a test file with a vitest of its own. */
async function run(text: string, ci = ''): Promise<Report> {
  await writeFile(join(folder, 'some.test.js'), text)
  const vitest = join(testkit, 'node_modules/vitest/vitest.mjs')
  const args = ['run', '--reporter=json', '--outputFile=report.json']
  const { VITEST: _, ...env } = process.env
  await new Promise((end) =>
    execFile(process.execPath, [vitest, ...args], { cwd: folder, env: { ...env, CI: ci } }, end),
  )
  return JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report // as vitest writes it
}

const suite = `
  import { expect, test } from 'vitest'
  import { describeNeeding, describeWithMySql, gitCheckout, program, sharedMySql } from '@archiver/testkit/vitest'
  const thing = program('no-such-program', 'Install it.')
  const sh = program('sh', '')
  test('needs nothing', () => {})
  await describeNeeding('both', { thing, sh }, ({ thing }) => {
    thing.of.nothing
    test('one', () => {})
    test('two', () => {})
  })
  await describeNeeding('git', { git: gitCheckout('${tmpdir()}') }, () => test('three', () => {}))
  await describeNeeding('shell', { sh }, ({ sh }) => test('is found', () => expect(sh).toContain('/sh')))`

test('a suite that lacks something is one skipped test that says what and how to get it', async () => {
  const { numFailedTests, testResults } = await run(suite)
  expect(numFailedTests).toBe(0)
  const missing = [{ reason: 'No no-such-program: not found on PATH', hint: 'Install it.' }]
  const [{ assertionResults }] = testResults as [Report['testResults'][number]]
  expect(assertionResults.map(({ fullName, status, meta }) => [fullName.trim(), status, meta])).toEqual([
    ['needs nothing', 'passed', {}],
    ['both No no-such-program: not found on PATH', 'skipped', { missing }],
    [expect.stringMatching(/^git No (checkout of )?git/), 'skipped', expect.anything()],
    ['shell is found', 'passed', {}],
  ])
})

test('in CI its file fails, and says what is missing', async () => {
  const { testResults } = await run(suite, 'true')
  expect(testResults).toMatchObject([{ status: 'failed', message: expect.stringContaining('No no-such-program') }])
})
