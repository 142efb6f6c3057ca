// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import {
  createSourceTables,
  dropTables,
  fillTable,
  freePort,
  generateRows,
  type MySqlDatabase,
} from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chart, examples, helm, type Manifest, podOf, rendered } from './chart.js'
import { commandAs, final, imageAround, imageEnvironment, texts } from './image.js'
import { RunningService } from './running-service.js'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const poolChart = join(import.meta.dirname, 'testing/pool-chart')
const rows = 2_000

const asRoot = process.getuid?.() === 0
if (!asRoot) console.warn('SKIPPED, because only root can start a program as another user: no pod is started.')

describe.skipIf(helm === undefined || !asRoot)('a pod of a chart, started as a process', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'archiver-chart-'))
  let image: string
  beforeAll(() => {
    // Other users look into it.
    chmodSync(scratch, 0o755)
    image = imageAround(scratch, (path) => {
      execFileSync(process.execPath, [join(root, 'deploy/linux/build.mjs'), '--out', path, '--version', '9.8.7-pod'])
    })
  }, 300_000)
  afterAll(() => rmSync(scratch, { recursive: true }))

  /** A table with rows, one archiver turned on, an empty archive, and a file of secrets. */
  async function prepare(database: MySqlDatabase, secrets: readonly string[]): Promise<void> {
    const connection = await database.connect()
    await dropTables(connection)
    await createSourceTables(connection, { archivers: ['fileavro'] })
    await fillTable(connection, 'log_scores', generateRows({ rows }))
    await connection.end()
    for (const name of readdirSync(join(image, 'archive'))) rmSync(join(image, 'archive', name), { recursive: true })
    mkdirSync(join(image, 'vault/secrets'), { recursive: true })
    writeFileSync(join(image, 'vault/secrets/archiver.env'), `${secrets.join('\n')}\n`)
  }

  /** Kubernetes' way: the image's variables, those of the ConfigMaps, those of the container; the pod's user or the image's. */
  function wordsOf(manifests: readonly Manifest[], command?: readonly string[]): string[] {
    const pod = podOf(manifests)
    const [container] = pod.containers
    const maps = (container.envFrom ?? []).map(
      ({ configMapRef: { name } }) =>
        manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name)!.data!,
    )
    const own = (container.env ?? []).map(({ name, value }) => ({ [name]: value }))
    const env = Object.assign({}, imageEnvironment, ...maps, ...own) as Record<string, string>
    const userId = pod.securityContext?.runAsUser ?? Number.parseInt(texts(final, 'USER')[0]!, 10)
    expect(userId).toBe(1000)
    return commandAs(image, { userId, env, command: command ?? [...container.command, ...(container.args ?? [])] })
  }

  /** It stores every row, in a file of user 1000, is healthy under both names, and ends well at SIGTERM. */
  async function expectToArchive(words: readonly string[], port: number): Promise<void> {
    await using service = RunningService.of(words, port)
    await service.until('/readyz', 200, /^ready: leader/)
    await service.until('/metrics', 200, new RegExp(`archiver_archived_rows_total\\{[^}]*fileavro[^}]*\\} ${rows}\n`))
    expect(await service.ask('/__health')).toEqual(await service.ask('/healthz'))
    expect(await service.stop()).toBe(0)
    const files = readdirSync(join(image, 'archive'))
    expect(files).toHaveLength(1)
    expect(statSync(join(image, 'archive', files[0]!)).uid).toBe(1000)
  }

  const connection = ({ address }: MySqlDatabase) => ({
    db_host: `${address.host}:${address.port}`,
    db_database: address.database,
    db_user: address.user,
    db_pass: address.password,
  })

  await describeWithMySql('the pool’s, with our image and tag and nothing else changed', (database) => {
    test.each([
      ['the image’s user', []],
      ['user 1000 of the pod', ['--set', 'securityContext.runAsUser=1000,securityContext.runAsNonRoot=true']],
    ])('%s', async (_, args) => {
      const port = await freePort()
      const { db_host, db_database, db_user, db_pass } = connection(database)
      await prepare(database, [
        '# as the template of the agent writes it',
        `HOST=${db_host}`,
        'export db_host=$HOST',
        `export db_database=${db_database} db_user="${db_user}"; export db_pass='${db_pass}'`,
        'export avro_path=${ARCHIVE:-/nowhere}',
        'export batch_avro_min_size=1 batch_avro_interval=0s',
        `export http_listen=127.0.0.1:${port}`,
      ])
      const values = ['-f', join(examples, 'pool-chart.yaml'), ...args]
      // The files win over what the pod sets, and see it.
      const env = ['env[0].name=wait', 'env[0].value=120', 'env[1].name=db_user', 'env[1].value=wrong']
      const more = ['--set-string', [...env, 'env[2].name=ARCHIVE', 'env[2].value=/archive'].join(',')]
      const manifests = await rendered(poolChart, ...values, ...more)
      const [container] = podOf(manifests).containers
      expect(container.image).toMatch(/^registry\.example\/ntppool\/archiver:/)
      await expectToArchive(wordsOf(manifests), port)
      const [command, ...words] = wordsOf(manifests, [...container.command, 'config'])
      const { stdout } = await run(command!, words)
      expect(stdout).toMatch(/run_interval +2m\S* +wait, environment/)
      expect(stdout).toMatch(/db_user +\S+ +\/vault\/secrets\/archiver\.env/)
    })
  })

  await describeWithMySql('our own', (database) => {
    test('archives, and answers where its probes ask', async () => {
      const port = await freePort()
      await prepare(
        database,
        Object.entries(connection(database)).map(([name, value]) => `${name}=${value}`),
      )
      const settings = {
        avro_path: '/archive',
        batch_avro_min_size: '1',
        batch_avro_interval: '0s',
        http_listen: `127.0.0.1:${port}`,
      }
      const args = Object.entries(settings).flatMap(([name, value]) => ['--set-string', `settings.${name}=${value}`])
      await expectToArchive(wordsOf(await rendered(chart, '-f', join(examples, 'run.yaml'), ...args)), port)
    })
  })
})
