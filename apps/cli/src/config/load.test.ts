import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SettingsSource } from './layers.js'
import { loadSettings, readSettings } from './load.js'
import { ConfigError, problemText } from './problem.js'
import { variableNames } from './variables.js'

const complete = { db_host: 'db', db_database: 'askntp', db_user: 'u', db_pass: 's3cret', avro_path: '/archive' }
let root: string
let cwd: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'archiver-settings-'))
})
beforeEach(() => {
  cwd = mkdtempSync(join(root, 'case-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function source(env: SettingsSource['env'], more: Partial<SettingsSource> = {}): SettingsSource {
  return { env, cwd, databaseFiles: ['database.yaml', 'vault.yaml'], ...more }
}

function load(env: SettingsSource['env'], configFile?: string) {
  return loadSettings(source(env, { configFile }))
}

function put(name: string, content: string): string {
  writeFileSync(join(cwd, name), content)
  return join(cwd, name)
}

function problemsOf(env: SettingsSource['env'], configFile?: string): readonly string[] {
  const { problems, settings } = readSettings(source(env, { configFile }))
  expect(settings === undefined).toBe(problems.length > 0)
  return problems.map(problemText)
}

describe('defaults', () => {
  it('are those of the Go program', () => {
    expect(load(complete)).toMatchObject({
      mysql: {
        host: 'db',
        port: 3306,
        database: 'askntp',
        user: 'u',
        password: 's3cret',
        tls: { mode: 'false', caFile: undefined },
        connectTimeoutMs: 10_000,
        readTimeoutMs: 120_000,
        maxOpenConnections: 10,
        maxIdleConnections: 10,
        maxIdleTimeMs: 120_000,
        maxLifetimeMs: 300_000,
        rejectReadOnly: true,
      },
      lock: { prefix: 'archiver-', timeoutMs: 0 },
      tables: { defaultTable: 'log_scores', validTables: ['log_scores', 'log_scores_archive', 'log_scores_test'] },
      clickhouse: undefined,
      bigquery: undefined,
      cloudStorage: undefined,
      fileAvro: { path: '/archive' },
      avroCodec: 'null',
      avroBlockRows: 50_000,
      avroSchema: 1,
      exactAttributes: false,
      batches: {
        bigquery: { minRows: 200, maxRows: 10_000_000, intervalMs: 600_000 },
        clickhouse: { minRows: 50, maxRows: 500_000, intervalMs: 0 },
        avro: { minRows: 500_000, maxRows: 10_000_000, intervalMs: 86_400_000 },
      },
      cleanup: {
        retentionDays: 15,
        maxRows: 200_000,
        intervalMs: 240_000,
        reducedIntervalMs: 60_000,
        pauseMs: 50,
        verify: 'count',
        movedIsSafe: false,
        maxLagMs: 60_000,
        replicas: [],
        ignoredReplicas: [],
        maxLoad: 0,
        pauseFile: undefined,
      },
      spoolPath: undefined,
      settleMs: 3_000,
      takeoverWaitMs: 2_000,
      shutdownTimeoutMs: 25_000,
      logging: { level: 'info', format: 'auto' },
      warnings: [],
    })
  })

  it('reach the archives that are configured', () => {
    const settings = load({ ...complete, bq_dataset: 'scores', gc_bucket: 'ntp-scores', ch_dsn: 'tcp://h:9000/askntp' })
    expect(settings).toMatchObject({
      bigquery: { projectId: 'ntppool', dataset: 'scores', maxLoadsPerDay: 1000, viaBucket: false },
      cloudStorage: {
        bucket: 'ntp-scores',
        project: 'ntppool',
        contentType: 'avro/binary',
        cacheControl: 'public, max-age=157248000',
      },
      clickhouse: { dsn: 'tcp://h:9000/askntp' },
    })
  })
})

describe('where values come from', () => {
  it('takes the environment before the --config file, and neither where it is empty', () => {
    put('test.env', 'export db_host=file # note\ndb_user=file\nretention_days=20\nbatch_ch_max_size=\n')
    const { db_host: _, ...env } = complete
    const settings = load({ ...env, retention_days: '' }, 'test.env')
    expect(settings.mysql).toMatchObject({ host: 'file', user: 'u' })
    expect(settings.cleanup.retentionDays).toBe(20)
    expect(settings.provenance).toMatchObject({
      db_host: '--config test.env',
      db_user: 'environment',
      retention_days: '--config test.env',
      batch_ch_max_size: 'default',
      ch_dsn: 'not set',
    })
  })

  it('makes relative paths absolute', () => {
    const ca = put('ca.pem', 'x')
    const env = {
      ...complete,
      avro_path: 'avro',
      db_tls: 'true',
      db_tls_ca: 'ca.pem',
      GOOGLE_APPLICATION_CREDENTIALS: 'keys/a.json',
    }
    const settings = load(env)
    expect(settings.fileAvro?.path).toBe(join(cwd, 'avro'))
    expect(settings.mysql.tls).toEqual({ mode: 'true', caFile: ca })
    expect(settings.googleCredentialsFile).toBe(join(cwd, 'keys/a.json'))
  })

  it('takes a socket', () => {
    expect(load({ ...complete, db_host: '/run/mysqld/mysqld.sock' }).mysql.socketPath).toBe('/run/mysqld/mysqld.sock')
  })

  it('takes an empty password for one, in whichever place it is said', () => {
    put('test.env', 'db_pass=')
    const { db_pass: _, ...env } = complete
    expect(load({ ...env, db_pass: '' }).mysql.password).toBe('')
    expect(load(env, 'test.env').mysql.password).toBe('')
    expect(load({ ...env, db_pass: 'x' }, 'test.env').mysql.password).toBe('x')
    expect(problemsOf(env)).toEqual([expect.stringContaining('db_pass: is required')])
  })

  it('takes DATABASE_DSN before the single variables, as a whole', () => {
    const settings = load({
      ...complete,
      db_timeout: '7s',
      DATABASE_DSN: 'root@unix(/s)/other?tls=preferred&timeout=1s',
    })
    expect(settings.mysql).toMatchObject({
      socketPath: '/s',
      database: 'other',
      user: 'root',
      password: '',
      tls: { mode: 'preferred' },
      connectTimeoutMs: 1_000,
    })
    expect(settings.provenance).toMatchObject({
      db_host: 'DATABASE_DSN',
      db_pass: 'DATABASE_DSN',
      db_timeout: 'DATABASE_DSN',
      db_charset: 'default',
    })
  })

  it('takes database.yaml before DATABASE_DSN, the first that is there', () => {
    const first = put('database.yaml', 'mysql: {dsn: "u:p@tcp(first)/a", pass: "0s3c", dbname: b}')
    put('vault.yaml', 'mysql: {dsn: "u:p@tcp(second)/a"}')
    const settings = load({ ...complete, DATABASE_DSN: 'x:y@tcp(variable)/c?tls=true' })
    expect(settings.mysql).toMatchObject({
      host: 'first',
      user: 'u',
      password: '0s3c',
      database: 'b',
      tls: { mode: 'false' },
    })
    expect(settings.provenance.db_host).toBe(first)
    expect(settings.warnings).toEqual([`DATABASE_DSN is not used: ${first} has a DSN of its own`])
  })

  it('passes over a database.yaml without the section mysql, beside DATABASE_DSN or the single variables', () => {
    const path = put('database.yaml', 'clickhouse: {dsn: "tcp://h"}')
    const { db_host: _, ...without } = complete
    const settings = load({ ...without, DATABASE_DSN: 'x:y@tcp(variable)/c' })
    expect(settings.mysql).toMatchObject({ host: 'variable', user: 'x', database: 'c' })
    expect(settings.warnings).toEqual([])
    expect(load(complete).mysql).toMatchObject({ host: 'db' })
    expect(problemsOf(without)).toEqual([expect.stringContaining(`${path}: has no section mysql`)])
  })

  it('looks in the second place, and lays parts over DATABASE_DSN or the single variables', () => {
    const vault = put('vault.yaml', 'mysql: {user: v, pass: w, passwd: x}')
    const over = load({ ...complete, DATABASE_DSN: 'x:y@tcp(variable)/c' })
    expect(over.mysql).toMatchObject({ host: 'variable', user: 'v', password: 'w', database: 'c' })
    expect(over.warnings).toEqual([`${vault}: mysql.passwd is not known and not used; did you mean pass?`])
    expect(load(complete).mysql).toMatchObject({ host: 'db', user: 'v', password: 'w', database: 'askntp' })
  })
})

describe('warnings', () => {
  it('names what a mistyped variable of the --config file probably is', () => {
    put('test.env', 'bacth_ch_max_size=5\nTZ=UTC\n')
    expect(load(complete, 'test.env').warnings).toEqual([
      '--config test.env: bacth_ch_max_size is not known and not used; did you mean batch_ch_max_size?',
      '--config test.env: TZ is not known and not used',
    ])
  })

  it('says what has no effect', () => {
    put('ca.pem', 'x')
    const { warnings } = load({ ...complete, db_timezone: 'Europe/Copenhagen', db_tls_ca: 'ca.pem' })
    expect(warnings).toEqual([
      expect.stringContaining('db_timezone'),
      expect.stringContaining('db_tls_ca has no effect'),
    ])
  })
})

describe('problems', () => {
  it('are all named at once', () => {
    const thrown = () => load({ db_pass: 's3cret', batch_ch_max_size: '5x', app_default_table: 'servers' })
    expect(thrown).toThrow(ConfigError)
    expect(problemsOf({ db_pass: 's3cret', batch_ch_max_size: '5x', app_default_table: 'servers' })).toEqual([
      expect.stringMatching(/^db_host: is required: a host, host:port or the path of a socket \(or .*DATABASE_DSN\)$/),
      expect.stringMatching(/^db_database: is required/),
      expect.stringMatching(/^db_user: is required/),
      'batch_ch_max_size: "5x" is not a whole number',
      expect.stringMatching(/^ch_dsn, bq_dataset, gc_bucket, avro_path: at least one archive is required/),
      'app_default_table: servers is not one of app_valid_tables (log_scores, log_scores_archive, log_scores_test)',
    ])
  })

  it.each([
    ['db_host', 'db:x', '"db:x" has a port that is not a number from 1 to 65535'],
    ['db_host', 'u:s3cret@tcp(h)/db', 'the value is not a host'],
    ['db_timeout', '10', '"10" is not a duration (write it as 10s, 2m, 1h30m or 250ms)'],
    ['db_timeout', '48h', '"48h" is longer than 24h'],
    ['db_lock_timeout', '-1', '"-1" is not a duration'],
    ['db_max_open_conns', '-1', '"-1" is less than 0'],
    ['db_parse_time', 'maybe', '"maybe" is neither true nor false'],
    ['db_charset', 'utf8; drop', 'is not the name of a character set'],
    ['db_timezone', 'Mars', '"Mars" is not a time zone'],
    ['db_tls', 'yes please', '"yes please" is none of false, true, skip-verify, preferred'],
    ['db_tls_ca', '/nowhere/ca.pem', '/nowhere/ca.pem cannot be read (ENOENT)'],
    ['db_tls_ca', '/', '/ cannot be read (not a file)'],
    ['db_lock_prefix', 'x'.repeat(59), 'has 65 characters, and MySQL allows 64'],
    ['DATABASE_DSN', 'u:s3cret@h/db', 'the value names a network other than tcp and unix (the form is'],
    ['app_default_table', 'log`scores', 'is not made of letters, digits and underscores alone'],
    ['app_valid_tables', 'log_scores,x y', 'is not made of letters, digits and underscores alone'],
    ['retention_days', '0', '"0" is less than 1'],
    ['ch_dsn', 'u:s3cret@h:9000', 'the value cannot be used: not of the form scheme://'],
    ['ch_dsn', 'tcp://u:s3cret/db', 'the value cannot be used: u:*** is not host or host:port'],
    ['ch_dsn', 'tcp://u:s3cret#x', 'the value cannot be used: not of the form scheme://'],
    ['ch_dsn', 'tcp://u:s3/cret@h/db', 'needs them as %2F'],
    ['ch_dsn', 'chdb://relative', 'the value cannot be used: chdb:// takes an absolute path'],
    ['bq_dataset', 'a.b', '"a.b" is not a dataset'],
    ['gc_bucket', 'gs://b', 'is not the name of a bucket'],
    ['avro_codec', 'gzip', '"gzip" is none of null, deflate, snappy, zstandard'],
    ['batch_ch_min_size', '500001', '500001 is more than batch_ch_max_size, 500000'],
    ['batch_avro_append_size', '0', '"0" is less than 1'],
    ['batch_bq_interval', '-1s', '"-1s" is negative'],
    ['log_level', 'loud', '"loud" is none of trace, debug'],
  ])('%s=%s is refused by name', (variable, value, message) => {
    const problems = problemsOf({ ...complete, [variable]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(new RegExp(`^${variable}: `))
    expect(problems[0]).toContain(message)
    expect(problems[0]).not.toContain('s3cret')
  })

  it.each([
    ['u:s3cret@tcp(h:99999)/db', 'db_host: from DATABASE_DSN: the value has a port'],
    ['u:s3cret@tcp(h)/db?tls=s3cret', 'db_tls: from DATABASE_DSN: the value is none of'],
    ['u:s3cret@tcp(h)/', 'db_database: is required (the DSN of DATABASE_DSN has none)'],
    [':s3cret@tcp(h)/db', 'db_user: is required (the DSN of DATABASE_DSN has none)'],
  ])('of DATABASE_DSN=%s name the part', (dsn, message) => {
    const problems = problemsOf({ ...complete, DATABASE_DSN: dsn })
    expect(problems).toEqual([expect.stringContaining(message)])
    expect(problems.join()).not.toContain('s3cret')
  })

  it.each([
    ['nothing: here', 'has no section mysql'],
    ['mysql: {dsn: "u:s3cret@h/db"}', 'mysql.dsn: names a network other than tcp and unix'],
    ['mysql: {pass: "s3cret', 'is not valid YAML'],
  ])('of a database.yaml %j name the file alone', (content, message) => {
    const path = put('database.yaml', content)
    const problems = problemsOf({ avro_path: '/archive' })
    expect(problems).toEqual([expect.stringContaining(message)])
    expect(problems[0]).toContain(path)
    expect(problems.join()).not.toContain('s3cret')
  })

  it('of the --config file name it', () => {
    put('bad.env', 'db_host=h\ns3cret\n')
    put('port.env', 'db_host=h:x\n')
    const { db_host: _, ...rest } = complete
    expect(problemsOf(complete, 'none.env')).toEqual(['--config none.env: cannot be read (ENOENT)'])
    expect(problemsOf(complete, '.')).toEqual(['--config .: cannot be read (EISDIR)'])
    expect(problemsOf(complete, 'bad.env')).toEqual(['--config bad.env: line 2 is not of the form KEY=value'])
    expect(problemsOf(rest, 'port.env')).toEqual([
      expect.stringContaining('db_host: from --config port.env: "h:x" has a port'),
    ])
  })
})

describe('what is shown', () => {
  it('holds no secret, whatever place it is in', () => {
    const cases = [
      { ...complete, ch_dsn: 'tcp://u:s3cret@h:9000/db?password=s3cret' },
      { ...complete, ch_dsn: 'u:s3cret@h' },
      { ...complete, db_host: 'u:s3cret@tcp(h)/db' },
      { ...complete, DATABASE_DSN: 'u:s3cret@tcp(h)/db' },
      { ...complete, DATABASE_DSN: 'u:s3cret@h' },
      { ...complete, DATABASE_DSN: 'u:s3cret@tcp(h)/db?tls=x' },
      { ...complete, DATABASE_DSN: 'u:s3/c@r?et@tcp(s3cret@h)/db' },
    ]
    for (const env of cases) {
      const { settings: _, ...shown } = readSettings(source(env))
      expect(JSON.stringify(shown)).not.toContain('s3cret')
    }
  })

  it('is every variable with its value and origin', () => {
    const { variables } = readSettings(source({ ...complete, avro_path: 'avro', db_pass: '', retention_days: 'x' }))
    const named = Object.fromEntries(variables.map((variable) => [variable.name, variable]))
    expect(variables.map(({ name }) => name)).toEqual(variableNames)
    expect(named).toMatchObject({
      avro_path: { value: join(cwd, 'avro'), origin: 'environment', valid: true },
      db_pass: { value: '', origin: 'environment', valid: true },
      retention_days: { value: 'x', origin: 'environment', valid: false },
      db_timeout: { value: '10s', origin: 'default', valid: true },
      ch_dsn: { value: null, origin: 'not set', valid: true },
    })
  })
})
