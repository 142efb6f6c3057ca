import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLogScores, writeLogScores } from '@archiver/avro'
import { chunksFromRows, type LogScore, leaseUntil, rowsFromChunk } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { generateRows } from '@archiver/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launcher, runCli } from './run-cli.js'

const table = 'log_scores'
/** More than a pipe holds, in five files of a day each. */
const rows: LogScore[] = [...generateRows({ rows: 20_000, rowsPerSecond: 4_000 / 86_400, servers: 50, seed: 3 })].map(
  ({ attributes, ...row }) => ({ ...row, ...attributesOf(attributes) }),
)
const day = (n: number) => `2026-11-0${n}`

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'archiver-read-'))
  folder = join(root, 'avro')
  await fill(folder)
})
afterAll(() => rm(root, { recursive: true }))

/** Settings of an archive, and of nothing else: no MySQL. */
const env = () => ({ avro_path: folder })

async function fill(path: string): Promise<void> {
  await using archiver = createFileAvroArchiver({ path, createPath: true })
  await archiver.prepare(table)
  for (let from = 0; from < rows.length; from += 4_000) {
    const some = rows.slice(from, from + 4_000)
    const [firstId, upToId] = [some[0]!.id, some.at(-1)!.id]
    const batch = { id: firstId, archiver: 'fileavro', table, afterId: firstId - 1n, firstId, upToId }
    await archiver.store(batch, chunksFromRows(some), leaseUntil())
  }
}

async function idsOf(...args: readonly string[]): Promise<bigint[]> {
  const run = await runCli(['read', 'fileavro', ...args], env())
  expect(run).toMatchObject({ code: 0, stderr: '' })
  const lines = run.stdout.split('\n').filter(Boolean)
  return lines.map((line) => BigInt((JSON.parse(line) as { id: number }).id)) // as ndjson writes it
}

const idsWhere = (wanted: (row: LogScore) => boolean) => rows.filter(wanted).map(({ id }) => id)
const secondsOf = (iso: string) => Date.parse(iso) / 1000

test('every row is a line of JSON, without any setting of MySQL', async () => {
  const run = await runCli(['read', 'fileavro'], env())
  expect(run).toMatchObject({ code: 0, stderr: '' })
  const lines = run.stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(rows.length)
  const { id, serverId, monitorId, score, offset } = rows[7]!
  const read = JSON.parse(lines[7]!) as Record<string, unknown> // an object, as ndjson has it
  expect(read).toMatchObject({ id: Number(id), server_id: serverId, monitor_id: monitorId ?? 0 })
  expect([read.score, read.offset].map((value) => Math.fround(Number(value)))).toEqual(
    [score, offset].map((value) => Math.fround(Number(value))),
  )
})

test.each<[string, string[], (row: LogScore) => boolean]>([
  ['a server', ['--server', '7'], ({ serverId }) => serverId === 7],
  ['a monitor', ['--monitor', '9'], ({ monitorId }) => monitorId === 9],
  ['no monitor', ['--monitor', '0'], ({ monitorId }) => monitorId === null],
  ['ids', ['--from', '3990', '--to', '4010'], ({ id }) => id >= 3990n && id <= 4010n],
  [
    'a day of a server',
    ['--server', '7', '--from', day(3), '--to', day(3)],
    ({ serverId, tsSeconds }) =>
      serverId === 7 && tsSeconds >= secondsOf(day(3)) && tsSeconds < secondsOf(day(3)) + 86_400,
  ],
  [
    'an id to a time',
    ['--from', '8001', '--to', `${day(4)}T12:00`],
    ({ id, tsSeconds }) => id >= 8001n && tsSeconds <= secondsOf(`${day(4)}T12:00Z`),
  ],
])('reads %s', async (_, args, wanted) => {
  expect(await idsOf(...args)).toEqual(idsWhere(wanted))
})

test('says that no row matches', async () => {
  const run = await runCli(['read', 'fileavro', '--from', '99990000'], env())
  expect(run).toMatchObject({ code: 0, stdout: '', stderr: 'fileavro: no row matches\n' })
})

test('a limit gives the first rows', async () => {
  expect(await idsOf('--limit', '3', '--server', '7')).toEqual(idsWhere(({ serverId }) => serverId === 7).slice(0, 3))
})

describe('--output', () => {
  test('is a file that is there when it is whole', async () => {
    const path = join(root, 'out.avro')
    await writeFile(path, 'of an earlier run')
    const run = await runCli(['read', 'fileavro', '--server', '7', '--format', 'avro', '--output', path], env())
    expect(run).toEqual(expect.objectContaining({ code: 0, stdout: '', stderr: '' }))
    const found: bigint[] = []
    for await (const chunk of readLogScores(path)) found.push(...rowsFromChunk(chunk).map(({ id }) => id))
    expect(found).toEqual(idsWhere(({ serverId }) => serverId === 7))
    expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test.each(['csv', 'parquet'])('takes %s', async (format) => {
    const path = join(root, `out.${format}`)
    expect(await runCli(['read', 'fileavro', '--format', format, '--output', path], env())).toMatchObject({ code: 0 })
    const bytes = await readFile(path)
    if (format === 'csv') expect(bytes.toString().split('\r\n')).toHaveLength(rows.length + 2)
    else expect(bytes.subarray(-4).toString()).toBe('PAR1')
  })

  test('keeps what was there when the archive cannot be read to its end', async () => {
    const path = join(root, 'kept.ndjson')
    await writeFile(path, 'of an earlier run')
    const broken = await damagedCopy('cut', (file) => truncate(file, 20_000))
    const run = await runCli(['read', 'fileavro', '--output', path], { avro_path: broken })
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('is truncated: at byte') })
    expect(await readFile(path, 'utf8')).toBe('of an earlier run')
    expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('that cannot be written is named', async () => {
    const run = await runCli(['read', 'fileavro', '--output', '/nowhere/out'], env())
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot write to /nowhere/out: ') })
  })
})

describe('whoever reads', () => {
  const shell = async (command: string) => {
    const child = spawn('bash', ['-c', command], {
      env: { PATH: process.env.PATH, ...env() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
    }
    await once(child, 'close')
    return text
  }

  test('may have had enough: that is no failure', async () => {
    const text = await shell(`'${launcher}' read fileavro | head -n 1; echo "exit \${PIPESTATUS[0]}"`)
    expect(text).toMatch(/^\{"id":1,.*\}\nexit 0\n$/)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('may stand still: %s ends it all the same', async (signal, code) => {
    const child = spawn(launcher, ['read', 'fileavro'], { env: { PATH: process.env.PATH, ...env() } })
    const closed = once(child, 'exit')
    await once(child.stdout, 'readable') // nothing is taken: the pipe fills up
    child.kill(signal)
    expect(await closed).toEqual([code, null])
  })
})

/** The files, one of which something is done to. */
async function damagedCopy(name: string, harm: (file: string) => Promise<unknown>): Promise<string> {
  const path = join(root, name)
  await mkdir(path)
  const files = (await readdir(folder)).sort()
  for (const file of files) await copyFile(join(folder, file), join(path, file))
  await harm(join(path, files[2]!))
  return path
}

describe('what is wrong with a file is named, after the rows before it', () => {
  const avscSchema = '{"type":"record","name":"other","fields":[{"name":"x","type":"long"}]}'
  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ['one that is no Avro file', (file) => writeFile(file, 'hello'), /\.avro is not an Avro file/],
    ['one of another record', (file) => writeFile(file, containerOf(avscSchema)), /is not of the record logscore/],
    ['a truncated one', (file) => truncate(file, 20_000), /\.avro is truncated: at byte \d+, after \d+ rows/],
    [
      'one whose rows are out of order',
      async (file) => {
        const bytes = await readFile(file)
        // An id below the one before it: the first byte of the second row's id is the same but for its lowest bits.
        const at = bytes.indexOf(Buffer.from(longOf(8_002)), bytes.indexOf(Buffer.from(longOf(8_001))))
        Buffer.from(longOf(8_000)).copy(bytes, at)
        await writeFile(file, bytes)
      },
      /row 8000 comes after row 8001/,
    ],
    [
      'one that is not the one it is named after',
      (file) => copyFile(file.replace(/[^/]+$/, firstFile()), file),
      /which its name does not say/,
    ],
  ])('%s', async (name, harm, words) => {
    const path = await damagedCopy(`harm ${name}`, harm)
    const run = await runCli(['read', 'fileavro'], { avro_path: path })
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(words)
    expect(run.stdout.split('\n').length).toBeGreaterThan(8_000)
    const before = await runCli(['read', 'fileavro', '--to', '8000'], { avro_path: path })
    expect(before).toMatchObject({ code: 0, stderr: '' })
  })
})

test('rows that are there twice are written twice, and named', async () => {
  const path = await damagedCopy('doubled', async (file) => {
    const held: LogScore[] = []
    for await (const chunk of readLogScores(file)) held.push(...rowsFromChunk(chunk))
    const twice = held.flatMap((row, i) => (i % 1000 === 999 ? [row, row] : [row]))
    const parts: Buffer[] = []
    const write = async (bytes: Uint8Array) => parts.push(Buffer.from(bytes))
    await writeLogScores(chunksFromRows(twice, 1_000), write, { sync: Buffer.alloc(16) })
    await writeFile(file, Buffer.concat(parts))
  })
  const run = await runCli(['read', 'fileavro', '--format', 'csv'], { avro_path: path })
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('fileavro: row 9000 is there twice, and so are 3 others. All were written')
  expect(run.stdout.split('\r\n')).toHaveLength(rows.length + 4 + 2)
})

const firstFile = () => `${rows[0]!.tsSeconds}-1.avro`

/** As Avro has it. */
function longOf(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 128)
  }
}

function containerOf(schema: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from(longOf(value.length)), Buffer.from(value)])
  return Buffer.concat([Buffer.from('Obj\x01\x02'), text('avro.schema'), text(schema), Buffer.of(0), Buffer.alloc(16)])
}

test.each<[string, string[], Record<string, string>, number, string]>([
  [
    'an unknown archive',
    ['tape'],
    {},
    2,
    'there is no archive tape; known are fileavro, clickhouse, bigquery, gcsavro',
  ],
  ['one that is not configured', ['clickhouse'], {}, 2, 'clickhouse is not configured here: ch_dsn is not set'],
  ['no archive at all', ['fileavro'], { avro_path: '' }, 2, 'at least one archive is required'],
  ['a folder that is not there', ['fileavro'], { avro_path: '/nowhere' }, 1, 'avro_path: /nowhere does not exist'],
  ['an unknown format', ['fileavro', '--format', 'xml'], {}, 2, 'format'],
  ['a server that is none', ['fileavro', '--server', 'x'], {}, 2, '--server: "x" is no whole number from 0'],
  ['a monitor beyond all', ['fileavro', '--monitor', '4294967296'], {}, 2, '--monitor:'],
  ['a date that is none', ['fileavro', '--from', '2026-02-30'], {}, 2, '--from: "2026-02-30" is not an id, a date'],
  [
    'dates the wrong way round',
    ['fileavro', '--from', '2026-11-02', '--to', '2026-11-01'],
    {},
    2,
    'no row can be in this range',
  ],
  ['ids the wrong way round', ['fileavro', '--from', '20', '--to', '10'], {}, 2, 'above its end, id 10'],
  ['a time to come', ['fileavro', '--from', '@4102444800'], {}, 2, 'it begins in the future, at 2100-01-01T00:00:00Z'],
  ['a limit of nothing', ['fileavro', '--limit', '0'], {}, 2, '--limit:'],
  ['a slack that is none', ['fileavro', '--slack', 'long'], {}, 2, '--slack:'],
  ['a table that may not be read', ['fileavro', '-t', 'secrets'], {}, 2, '--table: "secrets" is not one of'],
  ['a table without files', ['fileavro', '-t', 'log_scores_test'], {}, 1, '/log_scores_test does not exist'],
  ['a server that is away', ['clickhouse'], { ch_dsn: 'tcp://127.0.0.1:1/x?http_port=1' }, 1, 'ClickHouse'],
])('%s', async (_, args, change, code, words) => {
  const run = await runCli(['read', ...args], { ...env(), ...change })
  expect(run.stderr).toContain(words)
  expect(run).toMatchObject({ code, stdout: '' })
})

function attributesOf(json: string | null): Pick<LogScore, 'leap' | 'error' | 'warning'> {
  const { leap, error, warning } = JSON.parse(json ?? '{}') as Partial<LogScore> // of the generator
  return { leap: leap || null, error: error || null, warning: warning || null }
}
