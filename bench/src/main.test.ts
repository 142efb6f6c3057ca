import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithClickHouse, describeWithFakeGcs, describeWithMySql } from '@archiver/testkit/vitest'
import { expect, onTestFinished, test } from 'vitest'
import { measure } from './measure.js'

async function bench(options: object) {
  const folder = mkdtempSync(join(tmpdir(), 'archiver-bench-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'result.json')
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const args = [main, JSON.stringify({ rows: 3000, flat: 5000, rounds: 2, wait: 0, service: 12, json, ...options })]
  const { exitCode, stdout, stderr } = await measure({ command: process.execPath, args })
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  return { stdout, report: JSON.parse(readFileSync(json, 'utf8')) }
}

const withAllServers = (name: string, body: () => void) =>
  describeWithMySql(name, () =>
    describeWithClickHouse('with ClickHouse', () => describeWithFakeGcs('with Cloud Storage', body)),
  )

await withAllServers('the bench', () => {
  test('the whole bench runs on few rows and measures everything', async () => {
    const { stdout, report } = await bench({})
    expect(stdout).toMatch(/\| drain: mysql2 execute\(\), rows dropped +\|/)
    const measured = { rate: expect.any(Number), ratio: expect.any(Number), peakBytes: expect.any(Number) }
    expect(report.results).toEqual(
      [
        'drain: mysql2 execute(), rows dropped',
        'Avro file',
        'Avro file, zstandard',
        'ClickHouse server',
        'embedded ClickHouse',
        'Cloud Storage, one object',
        'BigQuery, one load',
      ].map((name) => expect.objectContaining({ name, ...measured })),
    )
    expect(report.others).toHaveLength(4)
    expect(report.flat.map(({ rows }: { rows: number }) => rows)).toEqual([500, 5000])
    expect(report.idle[0].loaded).toHaveProperty('@archiver/file-avro')
    expect(report.idle[1].loaded).toHaveProperty('@archiver/clickhouse')
    for (const client of [
      '@clickhouse/client',
      '@google-cloud/storage',
      '@google-cloud/bigquery',
      'google-auth-library',
    ]) {
      for (const { loaded } of report.idle) expect(loaded).not.toHaveProperty(client)
    }
    expect(report.verify).toEqual(
      ['verify, ClickHouse server', 'verify --deep, Avro file'].map((name) =>
        expect.objectContaining({ name, ...measured, wallMs: expect.any(Number) }),
      ),
    )
    expect(report.read).toEqual(
      ['read, NDJSON', 'read, CSV', 'read, Avro', 'read, Parquet'].map((name) =>
        expect.objectContaining({ name, ...measured }),
      ),
    )
    expect(report.cleanup).toMatchObject({
      rows: 3000,
      passes: 1,
      transactions: 1,
      longestTransactionMs: expect.any(Number),
      longestStatement: { text: expect.stringContaining('bench_cleanup'), elapsedMs: expect.any(Number) },
      peakBytes: expect.any(Number),
      inserts: { without: { p50Ms: expect.any(Number) }, with: { p99Ms: expect.any(Number) } },
    })
    expect(report.restore).toEqual(
      ["LOAD DATA, the server's own", 'restore, Avro file', 'restore, Avro file of avro_schema=2'].map((name) =>
        expect.objectContaining({ name, rate: expect.any(Number), ratio: expect.any(Number) }),
      ),
    )
    expect(report.measurements).toBe(2 * 6 + 1 + 1 + 2 * 2 + 2 * 2 + 2 * 4 + 1)
    expect(report.targets).toHaveLength(23)
  })

  test('a part can be measured alone', async () => {
    const { stdout, report } = await bench({ only: 'verify', rounds: 1 })
    expect(stdout).not.toContain('drain: mysql2')
    expect(report).toMatchObject({
      results: [],
      others: [],
      idle: [],
      flat: [],
      read: [],
      restore: [],
      verify: [{}, {}],
    })
    expect(report).not.toHaveProperty('cleanup')
    expect(report.targets).toHaveLength(2)
  })
})
