// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SettingsSource } from './layers.js'
import { loadSettings, readSettings } from './load.js'
import { problemText } from './problem.js'

const complete = { db_host: 'db', db_database: 'askntp', db_user: 'u', db_pass: 'env', avro_path: '/archive' }
let secretsFolder: string

beforeEach(() => {
  secretsFolder = mkdtempSync(join(tmpdir(), 'archiver-secrets-'))
})
afterEach(() => rmSync(secretsFolder, { recursive: true }))

const put = (name: string, content: string) => writeFileSync(join(secretsFolder, name), content)
const source = (env: SettingsSource['env'], asLoop = true) => ({
  env,
  cwd: '/',
  databaseFiles: [],
  secretsFolder,
  asLoop,
})
const load = (env: SettingsSource['env'], asLoop = true) => loadSettings(source(env, asLoop))
const problems = (env: SettingsSource['env'], asLoop = true) =>
  readSettings(source(env, asLoop)).problems.map(problemText)

describe('as the loop of the Go program', () => {
  it('files of secrets win over the environment, and later ones over earlier ones', () => {
    put('a.env', 'export db_pass=first db_user=a\n')
    put('b.env', "db_pass='second'\n")
    put('c.txt', 'db_pass=third\n')
    const { mysql, provenance } = load(complete)
    expect(mysql).toMatchObject({ password: 'second', user: 'a', host: 'db' })
    expect(provenance.db_pass).toBe(join(secretsFolder, 'b.env'))
    expect(load(complete, false).mysql).toMatchObject({ password: 'env', user: 'u' })
  })

  it('values are expanded from earlier lines, earlier files and the environment', () => {
    put('a.env', "NAME=ntppool\nPASS='p$w'\n")
    put('b.env', 'export db_database=$NAME db_pass="$PASS" db_host="${HOST}:3307" ch_dsn=tcp://h:9000/${NAME:-x}\n')
    const { mysql, clickhouse, warnings } = load({ ...complete, HOST: 'h' })
    expect(mysql).toMatchObject({ database: 'ntppool', password: 'p$w', host: 'h', port: 3307 })
    expect(clickhouse?.dsn).toBe('tcp://h:9000/ntppool')
    expect(warnings).toEqual([])
  })

  it('an empty value, or unset, takes away what the environment says', () => {
    put('a.env', 'avro_path=\nunset retention_days\nexport db_pass=\nch_dsn=tcp://h:9000/d\n')
    const settings = load({ ...complete, retention_days: '99' })
    expect(settings.fileAvro).toBeUndefined()
    expect(settings.cleanup.retentionDays).toBe(15)
    expect(settings.mysql.password).toBe('')
  })

  it('a name that is nearly a setting is a warning; others are for other programs', () => {
    put('a.env', 'export db_passs=x OTEL_SERVICE_NAME=y\n')
    expect(load(complete).warnings).toEqual([expect.stringMatching(/a\.env: db_passs is not known.* db_pass\?$/)])
  })

  it('what cannot be read is named by file and line, and nothing of it is used', () => {
    put('a.env', 'db_pass=s3cret\nexport db_user=$(whoami)\n')
    const [problem, ...others] = problems(complete)
    expect(problem).toMatch(/a\.env: line 2 has what only a shell can expand.*single quotes/)
    expect(others).toEqual([])
  })

  it.each([
    ['120', 120_000],
    ['600', 600_000],
    ['2m', 120_000],
    ['1m 30s', 90_000],
    ['0.5', 500],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['0', 100],
  ])('wait=%s is the interval of a pass', (wait, runIntervalMs) => {
    const { service, provenance } = load({ ...complete, wait })
    expect(service.runIntervalMs).toBe(runIntervalMs)
    expect(provenance.run_interval).toBe('wait, environment')
  })

  it('wait stands in a file of secrets, too; run_interval wins over it', () => {
    put('a.env', 'wait=7\n')
    expect(load({ ...complete, wait: '120' }).service.runIntervalMs).toBe(7_000)
    expect(load({ ...complete, run_interval: '3s' }).service.runIntervalMs).toBe(3_000)
  })

  it('without wait it is that of archiver run', () => {
    expect(load(complete).service.runIntervalMs).toBe(10_000)
  })

  it.each(['soon', '-5', '2d', '1 x'])('wait=%s is named', (wait) => {
    expect(problems({ ...complete, wait })).toEqual([expect.stringMatching(/^wait: /)])
  })
})

it('under another name wait means nothing, whatever it holds', () => {
  put('a.env', 'wait=soon\n')
  const { service, provenance } = load({ ...complete, wait: 'soon' }, false)
  expect(service.runIntervalMs).toBe(10_000)
  expect(provenance.wait).toBe('not set')
})
