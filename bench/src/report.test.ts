import { describe, expect, test } from 'vitest'
import { packageOf } from './idle.js'
import { reportText } from './report.js'
import { resultOf } from './results.js'
import { passDone } from './runs.js'
import { targets } from './targets.js'

const MB = 1_048_576
const run = (rate: number, peakMb: number) => ({ rows: 10, rate, wallMs: 10_000 / rate, peakBytes: peakMb * MB })

const none = { results: [], verify: [], restore: [], read: [], cleanup: undefined, flat: [], idle: [] }

const latencies = (p99Ms: number) => ({ inserts: 900, p50Ms: 1, p99Ms, longestMs: 2 * p99Ms })

const cleanup = (elapsedMs: number) => ({
  rows: 1_000_000,
  wallMs: 20_000,
  passes: 1,
  transactions: 200,
  longestTransactionMs: 250,
  longestStatement: { text: 'delete from t', elapsedMs },
  peakBytes: 90 * MB,
  inserts: { without: latencies(4.25), with: latencies(21.5) },
})

test('a result is the median of its rounds, and the highest of their peaks', () => {
  const runs = [run(100, 90), run(300, 95), run(200, 80)]
  expect(resultOf('Avro file', runs, [0.9, 0.8, 0.95])).toEqual({
    name: 'Avro file',
    rate: 200,
    ratio: 0.9,
    wallMs: 50,
    peakBytes: 95 * MB,
    runs,
  })
})

describe('what must be reached', () => {
  const figures = (ratio: number, small: number, large: number, wallMs: number) => ({
    results: [resultOf('Avro file', [run(100, 128)], [ratio])],
    flat: [
      { rows: 10, runs: [], peakBytes: small * MB },
      { rows: 100, runs: [], peakBytes: large * MB },
    ],
    idle: [{ name: 'Avro', wallMs, wallsMs: [wallMs], peakBytes: undefined, loaded: {} }],
    verify: [],
    restore: [],
    read: [],
    cleanup: undefined,
  })
  const reached = (...values: Parameters<typeof figures>) => targets(figures(...values)).map((target) => target.reached)

  test('is reached at its limit', () => {
    expect(reached(0.9, 118, 128, 300)).toEqual([true, true, true, true, true, true])
  })

  test('and not beyond it', () => {
    expect(reached(0.899, 100, 129, 301)).toEqual([false, true, true, false, false, false])
  })

  test('a batch may not take much less than the other either', () => {
    expect(targets(figures(1, 111, 100, 1))[4]).toMatchObject({ measured: '11 MB', reached: false })
  })

  test('verification has a limit of time where the archive sums up, and of rate where every row is read', () => {
    const verify = (sums: number, rows: number) => [
      resultOf('verify, ClickHouse server', [run(100, 80)], [sums]),
      resultOf('verify --deep, Avro file', [run(100, 80)], [rows]),
    ]
    const of = (sums: number, rows: number) => targets({ ...none, verify: verify(sums, rows) })
    expect(of(1, 0.5)).toMatchObject([
      { limit: '≤ 1.00', measured: '1.00', reached: true },
      { limit: '≥ 0.50', measured: '0.50', reached: true },
    ])
    expect(of(0.8, 0.49)).toMatchObject([
      { measured: '1.25', reached: false },
      { measured: '0.49', reached: false },
    ])
  })

  test('a restore has half the rate of LOAD DATA at least', () => {
    const restore = (ratio: number) => [resultOf('restore, Avro file', [run(100, 80)], [ratio])]
    const of = (ratio: number) => targets({ ...none, restore: restore(ratio) })
    expect(of(0.5)).toMatchObject([{ limit: '≥ 0.50', measured: '0.50', reached: true }])
    expect(of(0.49)).toMatchObject([{ reached: false }])
  })

  test('reading as NDJSON has a limit of rate and of memory', () => {
    const of = (ratio: number, peakMb: number) =>
      targets({ ...none, read: [resultOf('read, NDJSON', [run(100, peakMb)], [ratio])] })
    expect(of(0.5, 200)).toMatchObject([{ reached: true }, { reached: true }])
    expect(of(0.49, 201)).toMatchObject([
      { limit: '≥ 0.50', reached: false },
      { limit: '≤ 200 MB', reached: false },
    ])
  })

  test('no statement of the cleaner may take longer than a second', () => {
    const of = (elapsedMs: number) => targets({ ...none, cleanup: cleanup(elapsedMs) })
    expect(of(1000)).toMatchObject([{ limit: '≤ 1,000 ms', measured: '1,000 ms', reached: true }])
    expect(of(1001)).toMatchObject([{ reached: false }])
  })
})

describe('the report', () => {
  const head = {
    date: '2026-11-23',
    rows: 10,
    rounds: 1,
    measurements: 2,
    disturbed: 1,
    machine: {
      cpu: 'a CPU',
      cores: 2,
      memoryBytes: 2 ** 34,
      kernel: '6.1',
      node: 'v24',
      mysql: '10.11',
      clickHouse: 'none here',
      chdb: '3.4',
      loadBefore: 0,
    },
  }

  test('has nothing of parts that were left out', () => {
    const text = reportText({ ...head, ...none, others: [] })
    expect(text).toContain('2026-11-23; a CPU, 2 cores, 16 GB')
    expect(text).not.toMatch(/\||nothing to do|Must be reached/)
  })

  test('tells what the cleaner took and what others noticed of it', () => {
    const text = reportText({ ...head, ...none, others: [], cleanup: cleanup(155) })
    expect(text).toMatch(/1,000,000 \| 50,000 \| 20.0 \| +1 \| +200 \| +250 \| +155 \| +90 \|/)
    expect(text).toMatch(/without the cleaner \| +900 \| +1.0 \| +4.3 \| +8.5/)
    expect(text).toMatch(/while it works +\| +900 \| +1.0 \| +21.5 \| +43.0/)
  })

  test('tells of each adapter and client whether it was loaded', () => {
    const idle = [
      { name: 'Avro', wallMs: 9, wallsMs: [9], peakBytes: undefined, loaded: { '@archiver/avro': 3, zod: 9 } },
    ]
    const text = reportText({ ...head, ...none, others: [], idle })
    expect(text).toContain('Avro loaded: @archiver/avro (3 modules). Not loaded: @archiver/file-avro, ')
    for (const client of ['@google-cloud/storage', '@google-cloud/bigquery', 'google-auth-library']) {
      expect(text).toContain(`, ${client}`)
    }
  })
})

test("the archiver's figures are those of the last line of its log", () => {
  const line = '{"event":"pass.done","rows":7,"elapsedMs":250}'
  expect(passDone(`{"event":"archiver.started"}\n${line}\n`)).toMatchObject({ rows: 7, elapsedMs: 250 })
  expect(() => passDone('{"event":"archiver.started"}\n')).toThrow('does not end with pass.done')
})

test('a module belongs to the innermost package that its path names', () => {
  const pnpm = '../../../node_modules/.pnpm'
  expect(packageOf(`${pnpm}/mysql2@3.24.6/node_modules/mysql2/lib/connection.js`)).toBe('mysql2')
  expect(packageOf(`${pnpm}/x@1/node_modules/@clickhouse/client/dist/index.js`)).toBe('@clickhouse/client')
  expect(packageOf('../../../packages/file-avro/dist/index.js')).toBe('@archiver/file-avro')
  expect(packageOf('../dist/main.js')).toBeUndefined()
})
