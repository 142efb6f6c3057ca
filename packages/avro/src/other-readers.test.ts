import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { edgeRows, ordinaryRows } from '@archiver/conformance'
import type { LogScore } from '@archiver/core'
import { pythonWith } from '@archiver/testkit'
import { describeNeeding } from '@archiver/testkit/vitest'
import avsc from 'avsc'
import { query } from 'chdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow, exactRow } from './convert.js'
import { exactLogScoreSchema } from './schema.js'
import { avscRecord, avscType, exactAvscRecord, fileOf } from './test-support.js'

const rows: LogScore[] = [...ordinaryRows(300), ...edgeRows().filter(isTaken)]

function isTaken(row: LogScore): boolean {
  try {
    archivedRow(row)
    // ClickHouse's Date and DateTime64 conversions are not what is tested here.
    return row.tsSeconds < 2 ** 31
  } catch {
    return false
  }
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'avro-'))
})

afterAll(() => rm(folder, { recursive: true }))

test.each(codecs)('ClickHouse reads our files, codec %s', async (codec) => {
  const path = join(folder, `${codec}.avro`)
  await writeFile(path, await fileOf(rows, { codec, rowsPerBlock: 64 }))
  const changed = 'toString(id) as id, toUnixTimestamp64Micro(ts) as ts'
  const settings = 'output_format_json_quote_64bit_integers = 0, input_format_parallel_parsing = 0, max_threads = 1'
  const sql = `select * replace (${changed}) from file('${path}', 'Avro') settings ${settings}`
  const found = query(sql, 'JSONEachRow').trimEnd().split('\n').map(clickHouseRecord)
  expect(found).toEqual(rows.map((row) => ({ ...avscRecord(archivedRow(row)), id: String(row.id) })))
})

test('ClickHouse reads files of version 2', async () => {
  const path = join(folder, 'exact.avro')
  await writeFile(path, await fileOf(rows, { schema: 2 }))
  const changed = 'toString(id) as id, toUnixTimestamp64Micro(ts) as ts'
  const settings = 'output_format_json_quote_64bit_integers = 0, input_format_parallel_parsing = 0, max_threads = 1'
  const sql = `select * replace (${changed}) from file('${path}', 'Avro') settings ${settings}`
  const found = query(sql, 'JSONEachRow')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(found).toEqual(rows.map((row) => plainRecord(exactAvscRecord(exactRow(row)))))
})

test('avsc reads files of version 2, and with their schema those of version 1 too', async () => {
  const path = join(folder, 'exact-avsc.avro')
  await writeFile(path, await fileOf(rows, { schema: 2, rowsPerBlock: 64 }))
  expect(await recordsOf(path)).toEqual(rows.map((row) => exactAvscRecord(exactRow(row))))
  const old = join(folder, 'old-avsc.avro')
  await writeFile(old, await fileOf(rows, { rowsPerBlock: 64 }))
  const added = { warning: null, attributes: null, schema_version: null }
  expect(await recordsOf(old, avscType(exactLogScoreSchema))).toEqual(
    rows.map((row) => {
      const { serverId, monitorId } = row
      const ids = { server_id: BigInt(serverId), monitor_id: BigInt(monitorId ?? 0) }
      return { ...avscRecord(archivedRow(row)), ...ids, ...added }
    }),
  )
})

/** Prints the rows of a file as a reader of version 2 sees them. */
const script = `
import fastavro, json, sys
with open(sys.argv[1], "rb") as file:
    for row in fastavro.reader(file, json.loads(sys.argv[2])):
        row["ts"] = int(row["ts"].timestamp()) * 1000000
        row["id"] = str(row["id"])
        print(json.dumps(row))
`

await describeNeeding('fastavro', { python: () => pythonWith('fastavro==1.12.1') }, ({ python }) => {
  test('reads files of both versions with one schema', async () => {
    const readAll = async (schema: 1 | 2) => {
      const path = join(folder, `fastavro-${schema}.avro`)
      await writeFile(path, await fileOf(rows, { schema }))
      const printed = await python.run(script, path, JSON.stringify(exactLogScoreSchema))
      return printed
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    }
    expect(await readAll(2)).toEqual(rows.map((row) => plainRecord(exactAvscRecord(exactRow(row)))))
    expect((await readAll(1)).map(({ schema_version: version, score }) => [version, score])).toEqual(
      rows.map((row) => [null, archivedRow(row).score]),
    )
  })
})

async function recordsOf(path: string, as?: avsc.Type): Promise<unknown[]> {
  const records: unknown[] = []
  const parseHook = (schema: unknown) => avscType(schema)
  const decoder = avsc.createFileDecoder(path, as === undefined ? { parseHook } : { parseHook, readerSchema: as })
  for await (const record of decoder) records.push({ ...record })
  return records
}

/** With numbers for bigints, but for the id, which is text. */
function plainRecord(record: Record<string, unknown>): Record<string, unknown> {
  const plain = Object.entries(record).map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value])
  return { ...Object.fromEntries(plain), id: String(record.id) }
}

/** ClickHouse prints a 32-bit float with as few digits as tell it from its neighbours. */
function clickHouseRecord(line: string): Record<string, unknown> {
  // JSON of the columns of our own schema.
  const record = JSON.parse(line) as { score: number; step: number; offset: number | null }
  const float = (value: number | null) => (value === null ? null : Math.fround(value))
  return { ...record, score: float(record.score), step: float(record.step), offset: float(record.offset) }
}

test('avsc reads our files', async () => {
  const path = join(folder, 'avsc.avro')
  await writeFile(path, await fileOf(rows, { codec: 'deflate', rowsPerBlock: 64 }))
  const records: unknown[] = []
  const decoder = avsc.createFileDecoder(path, { parseHook: (schema: unknown) => avscType(schema) })
  for await (const record of decoder) records.push({ ...record })
  expect(records).toEqual(rows.map((row) => avscRecord(archivedRow(row))))
})
