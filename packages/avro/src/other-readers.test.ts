import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { edgeRows, ordinaryRows } from '@archiver/conformance'
import type { LogScore } from '@archiver/core'
import avsc from 'avsc'
import { query } from 'chdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow } from './convert.js'
import { avscRecord, avscType, fileOf } from './test-support.js'

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
