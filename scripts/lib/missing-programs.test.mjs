import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root, run, toolEnv } from './steps.mjs'
import { reporterArgs, suiteTotals } from './test-totals.mjs'

/** What a machine may lack, and what would fetch it. */
const hidden = /^(go|git|python3?(\..*)?|clickhouse.*|apt-get|fake-gcs-server|kustomize)$/
const mariaDb = 'mariadb-server-core+mariadb-client-core'

let folder
let env
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'without-'))
  mkdirSync(join(folder, 'bin'))
  for (const from of ['/usr/bin', '/bin']) linkAll(from, join(folder, 'bin'))
  // An empty cache, but for MariaDB: the suites have their database.
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ntp-archiver', mariaDb)
  mkdirSync(join(folder, 'cache/ntp-archiver'), { recursive: true })
  if (existsSync(cache)) symlinkSync(cache, join(folder, 'cache/ntp-archiver', mariaDb))
  const { VITEST: _, CI: __, ...rest } = toolEnv
  const path = [join(root, 'node_modules/.bin'), join(root, 'node_modules/node/bin'), join(folder, 'bin')].join(':')
  // The tests also look for servers where PATH does not.
  env = {
    ...rest,
    PATH: path,
    XDG_CACHE_HOME: join(folder, 'cache'),
    GOPROXY: 'off',
    ARCHIVER_TEST_WITHOUT: 'clickhouse-server,clickhouse,go',
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

function linkAll(from, to) {
  for (const name of readdirSync(from)) {
    if (!hidden.test(name) && !existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name))
  }
}

/** Runs test files of a package, with a report apart from that of `npm test`. */
async function runOf(path, files, more = {}) {
  const cwd = join(root, path)
  const args = ['run', ...reporterArgs, ...files]
  const report = join(folder, `${randomUUID()}.json`)
  const outcome = await run('vitest', args, { cwd, env: { ...env, ...more, ARCHIVER_TEST_REPORT: report } })
  const totals = suiteTotals(cwd, report)
  const reasons = new Set(
    (totals.skips ?? []).flatMap(({ missing }) => missing.map(({ reason }) => reason.split(':')[0])),
  )
  return { ...outcome, totals, reasons: [...reasons].sort() }
}

const cases = [
  ['apps/cli', ['src/e2e/cloud.test.ts'], ['No ClickHouse server', 'No fake-gcs-server']],
  ['proof', ['src/cleaner.test.ts', 'src/schedules.test.ts'], ['No ClickHouse server', 'No fake-gcs-server']],
  [
    'deploy',
    ['src/supply.test.ts', 'src/kubernetes.test.ts'],
    ['No git', 'No kubernetes-validate==1.37.0 for Python', 'No kustomize'],
  ],
  ['packages/avro', ['src/other-readers.test.ts'], ['No fastavro==1.12.1 for Python']],
]

const patient = { timeout: 300_000 }

test.each(cases)(
  '%s on a machine without Go, Python, git and ClickHouse: no failure, and each skip says why',
  patient,
  async (path, files, expected) => {
    const { code, output, totals, reasons } = await runOf(path, files)
    expect(totals, output).toMatchObject({ failed: 0, notRun: 0, broken: [] })
    expect(reasons).toEqual(expected)
    expect(code).toBe(0)
  },
)

test('in CI what is missing is a failure', patient, async () => {
  const { code, totals, output } = await runOf('packages/avro', ['src/other-readers.test.ts'], { CI: 'true' })
  expect(totals.failed, output).toBeGreaterThan(0)
  expect(output).toContain('No fastavro==1.12.1 for Python')
  expect(code).toBe(1)
})
