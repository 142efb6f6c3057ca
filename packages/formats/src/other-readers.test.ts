import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import { edgeRows, largeIdRows, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, type LogScore, type LogScoreChunk } from '@archiver/core'
import { type Python, pythonWith } from '@archiver/testkit'
import { describeNeeding } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Format, writeRows } from './index.js'
import { exactChunks, exactRows, floatChunks, isoOf } from './test-support.js'

const numbers = ['id', 'server_id', 'monitor_id', 'ts', 'score', 'step', 'offset', 'rtt']
const columns = [...numbers, 'leap', 'error', 'warning', 'attributes']

/** Each prints the rows of a file as lists: ids as texts, times as ISO 8601, numbers as Python has them. */
const scripts: Readonly<Record<Format, string>> = {
  csv: `
import csv, json, sys
csv.field_size_limit(10**9)
def number(text): return None if text == "" else json.loads(text)
for i, row in enumerate(csv.reader(open(sys.argv[1], newline="", encoding="utf-8"))):
    if i == 0: assert row == json.loads(sys.argv[2])
    else: print(json.dumps([row[0], *map(number, row[1:3]), row[3], *map(number, row[4:9]), *(t or None for t in row[9:])]))
`,
  ndjson: `
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    assert list(row) == json.loads(sys.argv[2])
    print(json.dumps([str(row["id"]), *list(row.values())[1:]]))
`,
  parquet: `
import duckdb, json, sys
duckdb.sql("set timezone = 'UTC'")
assert duckdb.sql(f"from '{sys.argv[1]}'").columns == json.loads(sys.argv[2])
time = "strftime(ts::timestamp, '%Y-%m-%dT%H:%M:%SZ') as ts"
for row in duckdb.sql(f"select * replace (id::varchar as id, {time}) from '{sys.argv[1]}'").fetchall(): print(json.dumps(row))
`,
  avro: `
import fastavro, json, sys
for row in fastavro.reader(open(sys.argv[1], "rb")):
    columns = json.loads(sys.argv[2])
    assert list(row) in (columns[:-2], [*columns, "schema_version"])
    row["ts"] = row["ts"].strftime("%Y-%m-%dT%H:%M:%SZ")
    row["id"] = str(row["id"])
    print(json.dumps([row.get(column) for column in columns]))
`,
}

const readers = () => pythonWith('fastavro==1.12.1', 'duckdb==1.4.4')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'formats-'))
})
afterAll(() => rm(folder, { recursive: true }))

const everyRow: LogScore[] = [...ordinaryRows(2_500), ...edgeRows(), ...largeIdRows()]

/** The record of Avro does not hold them all. */
const avroRows = everyRow.filter((row) => {
  try {
    return archivedRow(row) !== undefined
  } catch {
    return false
  }
})

await describeNeeding('Python reads', { python: readers }, ({ python }) => {
  const cases: [Format, readonly LogScore[], (row: LogScore) => LogScore][] = [
    ['ndjson', everyRow, (row) => row],
    ['csv', everyRow, (row) => row],
    ['parquet', everyRow, (row) => row],
    ['avro', avroRows, archivedRow],
  ]
  test.each(cases)('%s: every row, every column', async (format, rows, kept) => {
    expect(await readBack(python, format, chunksFromRows(rows, 700))).toEqual(rows.map(kept).map(listOf))
  })

  test.each(['ndjson', 'csv'] as const)('%s of 32-bit floats: they are the same floats', async (format) => {
    const rows = avroRows.map(archivedRow)
    const read = await readBack(python, format, floatChunks(rows))
    const rounded = read.map((row) => (row as unknown[]).map((value, i) => (i >= 4 && i <= 6 ? float(value) : value)))
    expect(rounded).toEqual(rows.map(listOf))
  })

  test.each(['ndjson', 'csv', 'parquet', 'avro'] as const)('%s of an archive that lost nothing', async (format) => {
    expect(await readBack(python, format, exactChunks(exactRows))).toEqual(exactRows.map(listOf))
  })

  test.each(['ndjson', 'csv', 'parquet', 'avro'] as const)('%s without any row', async (format) => {
    expect(await readBack(python, format, chunksFromRows([]))).toEqual([])
  })

  describe('parquet has numbers that readers without unsigned ones can take', () => {
    const signed = ordinaryRows(3)
    const large = { ...ordinaryRows(1)[0]!, id: 2n ** 63n }
    const types = async (rows: readonly LogScore[]) => {
      const path = await write('parquet', chunksFromRows(rows))
      const script = `import duckdb, json, sys
print(json.dumps(duckdb.sql("select column_name, column_type from (describe from '" + sys.argv[1] + "')").fetchall()))
print(json.dumps(duckdb.sql("select name, converted_type from parquet_schema('" + sys.argv[1] + "') where converted_type like 'UINT%'").fetchall()))`
      const [named, unsigned] = (await python.run(script, path)).trimEnd().split('\n')
      return { types: Object.fromEntries(JSON.parse(named!)), unsigned: JSON.parse(unsigned!) }
    }

    test('ids up to 2^63-1 are signed', async () => {
      const rows = [...signed, { ...large, id: 2n ** 63n - 1n, serverId: 2 ** 32 - 1, monitorId: 2 ** 32 - 1 }]
      const { types: found, unsigned } = await types(rows)
      expect(unsigned).toEqual([])
      expect(found).toMatchObject({ id: 'BIGINT', server_id: 'BIGINT', monitor_id: 'BIGINT', rtt: 'INTEGER' })
      expect(await readBack(python, 'parquet', chunksFromRows(rows))).toEqual(rows.map(listOf))
    })

    test('a file whose first row group has a larger one is unsigned in that column', async () => {
      const rows = [...signed, large, { ...large, id: 2n ** 64n - 1n }]
      const { types: found, unsigned } = await types(rows)
      expect(unsigned).toEqual([['id', 'UINT_64']])
      expect(found).toMatchObject({ id: 'UBIGINT', server_id: 'BIGINT' })
      expect(await readBack(python, 'parquet', chunksFromRows(rows))).toEqual(rows.map(listOf))
    })

    test('a larger one in a later row group is refused by its id', async () => {
      const rows = [...ordinaryRows(100_000), large]
      await expect(write('parquet', chunksFromRows(rows, 9_999))).rejects.toMatchObject({
        name: 'RowError',
        id: 2n ** 63n,
        column: 'id',
        hint: expect.stringContaining('NDJSON or CSV'),
      })
    })
  })

  test('parquet of several row groups, each of its size', async () => {
    const rows = ordinaryRows(210_000)
    const path = await write('parquet', chunksFromRows(rows, 9_999))
    const script = `import duckdb, json, sys
print(json.dumps(duckdb.sql("select count(*), sum(id)::varchar from '" + sys.argv[1] + "'").fetchall()))
print(json.dumps(duckdb.sql("select distinct row_group_id, row_group_num_rows from parquet_metadata('" + sys.argv[1] + "') order by 1").fetchall()))`
    const [counted, groups] = (await python.run(script, path)).trimEnd().split('\n')
    const sum = rows.reduce((total, { id }) => total + id, 0n)
    expect(JSON.parse(counted!)).toEqual([[210_000, String(sum)]])
    expect(JSON.parse(groups!)).toEqual([
      [0, 100_000],
      [1, 100_000],
      [2, 10_000],
    ])
  })
})

function float(value: unknown): unknown {
  return typeof value === 'number' ? Math.fround(value) : value
}

async function readBack(python: Python, format: Format, chunks: AsyncIterable<LogScoreChunk>): Promise<unknown[]> {
  const path = await write(format, chunks)
  const printed = await python.run(scripts[format], path, JSON.stringify(columns))
  return printed
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

async function write(format: Format, chunks: AsyncIterable<LogScoreChunk>): Promise<string> {
  const path = join(folder, `rows.${format}`)
  await using file = await open(path, 'w')
  await writeRows(format, chunks, (bytes) => file.writeFile(bytes))
  return path
}

function listOf({ id, serverId, monitorId, tsSeconds, ...row }: LogScore) {
  const { score, step, offset, rtt, leap, error, warning, json = null } = row
  return [String(id), serverId, monitorId, isoOf(tsSeconds), score, step, offset, rtt, leap, error, warning, json]
}
