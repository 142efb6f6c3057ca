import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import {
  type ClickHouseDatabase,
  createClickHouseDatabase,
  createSourceTables,
  fillTable,
  freePort,
  generateRows,
} from '@archiver/testkit'
import { describeNeeding, describeWithMySql, rootOfOwn, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { forward, RunningService } from './running-service.js'
import { arm64Emulator, commandInside, layRoot } from './scratch-root.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'archiver-linux-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const other = process.arch === 'arm64' ? 'x64' : 'arm64'

/** As `make linux` does, with a version that the test knows. */
async function build(arch: string, out: string): Promise<string> {
  const file = join(folder, out)
  const args = [join(root, 'deploy/linux/build.mjs'), '--arch', arch, '--out', file, '--version', '9.8.7-test']
  await run(process.execPath, args)
  return file
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

await describeNeeding('the executable for this machine', { rootOfOwn }, async () => {
  let executable: string
  const place = join(folder, 'root')

  beforeAll(async () => {
    executable = await build(process.arch, 'archiver')
    layRoot(place, executable)
  })

  /** Runs it where there is nothing but it: no Node, no PATH, no other environment. */
  async function inside(args: readonly string[], env: Record<string, string> = {}) {
    const [command, ...words] = await commandInside(place, env)
    return run(command!, [...words, ...args]).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    )
  }

  test('tells its version, as it was given at the build', async () => {
    expect(await inside(['--version'])).toEqual({ code: 0, stdout: '9.8.7-test\n', stderr: '' })
    expect((await inside(['config'])).stdout).toMatch(/app_version +9\.8\.7-test +this program/)
  })

  test('is one file of less than 140 MB, and the same when it is built again', { timeout: 120_000 }, async () => {
    expect(statSync(executable).size).toBeLessThan(140e6)
    expect(sha256(await build(process.arch, 'again'))).toBe(sha256(executable))
    rmSync(join(folder, 'again'))
  })

  test('names what is missing, exit 2', async () => {
    const { code, stderr } = await inside(['archive'])
    expect(code).toBe(2)
    expect(stderr).toContain('db_host: is required')
  })

  await describeWithMySql('on real servers', { server: sharedClickHouse }, (database, { server }) => {
    const rows = 5_000

    beforeAll(async () => {
      const connection = await database.connect()
      await createSourceTables(connection, { archivers: ['fileavro', 'clickhouse'] })
      await fillTable(connection, 'log_scores', generateRows({ rows }))
      await connection.end()
    })
    afterEach(() => rmSync(join(place, 'vault'), { recursive: true, force: true }))

    const settingsFor = (clickhouse: ClickHouseDatabase) => ({
      db_host: `${database.address.host}:${database.address.port}`,
      db_database: database.address.database,
      db_user: database.address.user,
      db_pass: database.address.password,
      ch_dsn: `http://default:@127.0.0.1:${clickhouse.server.httpPort}/${clickhouse.name}`,
      avro_path: '/archive',
      avro_codec: 'snappy',
      batch_avro_min_size: '1',
      batch_avro_interval: '0s',
      log_format: 'pretty',
    })

    test('archives into Avro files with snappy and into ClickHouse, and verifies both in depth', async () => {
      const clickhouse = await createClickHouseDatabase(server)
      const archived = await inside(['archive'], settingsFor(clickhouse))
      expect(archived, archived.stderr).toMatchObject({ code: 0 })
      expect(await clickhouse.query('select count(), uniq(id) from log_scores')).toBe(`${rows}\t${rows}\n`)
      expect(readdirSync(join(place, 'archive'))).toHaveLength(1)
      const verified = await inside(['verify', '--deep', '--json'], settingsFor(clickhouse))
      expect(verified).toMatchObject({ code: 0 })
      expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true })
      await clickhouse.drop()
    })

    const connection = () => ({
      db_database: database.address.database,
      db_user: database.address.user,
      db_pass: database.address.password,
    })

    /** `archiver run` in there, while `body` looks at it; then it is told to stop, and must do so well. */
    async function running(env: Record<string, string>, body: (service: RunningService) => Promise<void>) {
      await using service = await RunningService.start(place, env)
      await body(service)
      expect(await service.stop()).toBe(0)
    }

    test('a secret that is late: it says what is missing, waits, works once it is there, and takes its changes', async () => {
      mkdirSync(join(place, 'vault/secrets'), { recursive: true })
      await running({}, async (service) => {
        await service.until('/readyz', 503, /db_host: is required[\s\S]*at least one archive is required/)
        expect((await service.ask('/healthz')).status).toBe(200)
        expect(service.lastLine()).toContain('db_host: is required')
        const { host, port } = database.address
        const settings = { ...connection(), db_host: `${host}:${port}`, avro_path: '/archive' }
        const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
        const secret = join(place, 'vault/secrets/archiver.env')
        writeFileSync(secret, lines.join(''))
        await service.until('/readyz', 200, /^ready: leader/)
        const log = () => service.lines().join('\n')
        writeFileSync(secret, [...lines, 'batch_avro_max_size=lots\n'].join(''))
        await expect.poll(log).toMatch(/reload-refused.*batch_avro_max_size: from \/vault\/secrets\/archiver\.env/)
        writeFileSync(secret, [...lines, 'batch_avro_min_size=7\n'].join(''))
        await expect.poll(log).toContain('service.reloaded')
      })
    })

    test('a key file that is not there: told in the log and in /readyz, and the other archives go on', async () => {
      const { host, port } = database.address
      const db = await database.connect()
      await db.query("insert into log_scores_archive_status (archiver) values ('gcsavro')")
      const google = { gc_bucket: 'none', GOOGLE_APPLICATION_CREDENTIALS: '/keys/none.json', batch_avro_min_size: '1' }
      const settings = { ...connection(), ...google, db_host: `${host}:${port}`, avro_path: '/archive' }
      await running(settings, async (service) => {
        await service.until('/readyz', 200, /^ready: leader\n(.*\n)*gcsavro fails: .*\/keys\/none\.json/)
        expect(service.lines().join('\n')).toContain('GOOGLE_KEY_FILE')
      })
      await db.query("delete from log_scores_archive_status where archiver = 'gcsavro'")
      await db.end()
    })

    test('MySQL out of reach: not ready and why, and ready once it answers', async () => {
      const port = await freePort()
      await running({ ...connection(), db_host: `127.0.0.1:${port}`, avro_path: '/archive' }, async (service) => {
        await service.until('/readyz', 503, /MySQL is out of reach: .*nothing listens there.*Check db_host/)
        expect(service.lastLine()).toContain('MYSQL_UNREACHABLE')
        const server = await forward(port, database.address)
        await service.until('/readyz', 200, /^ready: leader/)
        server.close()
      })
    })
  })
})

await describeNeeding(`the executable for ${other}, emulated`, { emulator: arm64Emulator }, ({ emulator }) => {
  let executable: string
  beforeAll(async () => {
    executable = await build(other, `archiver-${other}`)
  })

  const emulated = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    run(emulator.command, [...emulator.args, executable, ...args], { env })

  test('tells its version', async () => {
    expect((await emulated(['--version'])).stdout).toBe('9.8.7-test\n')
  })

  test('reads settings', async () => {
    const env = { db_host: '10.0.0.1', db_database: 'ntppool', db_user: 'a', db_pass: 's3cret', avro_path: '/tmp' }
    const { stdout } = await emulated(['config', '--json'], env)
    expect(stdout).toContain('10.0.0.1')
    expect(stdout).not.toContain('s3cret')
  })
})
