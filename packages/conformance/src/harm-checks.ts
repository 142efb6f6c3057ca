import type { LogScore } from '@archiver/core'
import { expect } from 'vitest'
import type { ReadCheck } from './read-checks.js'
import type { ReaderBench } from './reader-bench.js'
import { ordinaryRows } from './rows.js'

const rows = ordinaryRows(300)
const idOf = (i: number): bigint => rows[i]!.id

export const harmChecks: readonly ReadCheck[] = [
  {
    name: 'finds nothing where nothing is wrong',
    async run(bench) {
      await bench.fill(rows, 100)
      expect(await bench.findings(rows)).toEqual([])
      expect(await bench.verify(rows, true)).toMatchObject({ rows: 300 })
      expect(await bench.verify(rows, false)).toMatchObject({ rows: 300 })
    },
  },
  {
    name: 'finds a row that was dropped',
    run: (bench) => finds(bench, drop(150), [run('missing', 150, 150)]),
  },
  {
    name: 'finds rows that were dropped as the run they are',
    run: (bench) => finds(bench, drop(120, 121, 122, 140), [run('missing', 120, 122), run('missing', 140, 140)]),
  },
  {
    name: 'finds a row that is there twice',
    run: (bench) => finds(bench, double(150), [run('doubled', 150, 150)]),
  },
  {
    name: 'finds a dropped and a doubled row together: they do not cancel out',
    run: (bench) => finds(bench, both(drop(130), double(170)), [run('missing', 130, 130), run('doubled', 170, 170)]),
  },
  {
    name: 'finds two dropped and two doubled rows whose ids have the same sum',
    run: (bench) =>
      finds(bench, both(drop(110, 140), double(120, 130)), [
        run('missing', 110, 110),
        run('doubled', 120, 120),
        run('doubled', 130, 130),
        run('missing', 140, 140),
      ]),
  },
  {
    name: 'finds a server or a time that was changed, by sums already',
    async run(bench) {
      await bench.fill(rows, 100)
      const change = (row: LogScore) => ({ ...row, serverId: row.serverId + 1, tsSeconds: row.tsSeconds + 1 })
      await bench.subject.tamper(bench.table, changed(150, change))
      expect(await bench.findings(rows)).toMatchObject([
        { kind: 'different', id: idOf(150), columns: [{ column: 'server_id' }, { column: 'ts' }] },
      ])
    },
  },
  ...Object.entries({
    server_id: (row: LogScore) => ({ ...row, serverId: row.serverId + 1 }),
    ts: (row: LogScore) => ({ ...row, tsSeconds: row.tsSeconds - 1 }),
    monitor_id: (row: LogScore) => ({ ...row, monitorId: 77 }),
    score: (row: LogScore) => ({ ...row, score: nextFloat(row.score) }),
    step: (row: LogScore) => ({ ...row, step: nextFloat(row.step) }),
    offset: (row: LogScore) => ({ ...row, offset: nextFloat(row.offset ?? 0) }),
    rtt: (row: LogScore) => ({ ...row, rtt: null }),
    leap: (row: LogScore) => ({ ...row, leap: 3 }),
    error: (row: LogScore) => ({ ...row, error: `${row.error}, or so` }),
    warning: (row: LogScore) => ({ ...row, warning: 'odd' }),
  }).map(
    ([column, change]): ReadCheck => ({
      name: `finds a changed ${column}, with both values, when every column is compared`,
      run: (bench) => findsChanged(bench, column, change),
    }),
  ),
  {
    name: 'finds a row that the source does not have, but not those below its first row',
    async run(bench) {
      await bench.fill(rows, 100)
      expect(await bench.findings(rows.filter((_, i) => i >= 20 && i !== 150))).toEqual([run('extra', 150, 150)])
    },
  },
  {
    name: 'counts rows that were deleted from the source apart, with their servers, by sums and by columns',
    async run(bench) {
      await bench.fill(rows, 100)
      const isDeleted = (i: number): boolean => i === 30 || (i >= 150 && i < 160) || i === 299
      const left = rows.filter((_, i) => !isDeleted(i))
      const servers = new Map<number, number>()
      for (const { serverId } of rows.filter((_, i) => isDeleted(i))) {
        servers.set(serverId, (servers.get(serverId) ?? 0) + 1)
      }
      const named = [...servers].map(([serverId, count]) => ({ serverId, rows: count }))
      const range = { afterId: idOf(0) - 1n, upToId: idOf(299) }
      for (const deep of [false, true]) {
        const found = await bench.verify(left, deep, [], idOf(299) + 1n, range)
        expect(found).toMatchObject({ rows: 288, named: [], counts: { extra: 0 } })
        expect(found.deleted).toMatchObject({ rows: 12, servers: named.slice(0, 20) })
      }
      expect((await bench.verify(left, false, [], idOf(299), range)).named).toEqual([run('extra', 299, 299)])
    },
  },
  {
    name: 'rows that an operator took out are not missing, and extra where they are there',
    async run(bench) {
      const taken = [120, 250].map(idOf)
      await bench.fill(
        rows.filter(({ id }) => id !== taken[0]),
        100,
      )
      expect(await bench.findings(rows, taken)).toEqual([run('extra', 250, 250)])
    },
  },
  {
    name: 'counts what it does not name',
    async run(bench) {
      await bench.fill(rows, 100)
      await bench.subject.tamper(bench.table, drop(...Array.from({ length: 140 }, (_, i) => 1 + 2 * i)))
      for (const deep of [false, true]) {
        const { counts, named } = await bench.verify(rows, deep)
        expect(counts).toMatchObject({ missing: 140, doubled: 0 })
        expect(named).toHaveLength(100)
      }
    },
  },
]

type Edit = (row: LogScore) => readonly LogScore[]

function drop(...indexes: readonly number[]): Edit {
  const ids = new Set(indexes.map(idOf))
  return (row) => (ids.has(row.id) ? [] : [row])
}

function double(...indexes: readonly number[]): Edit {
  const ids = new Set(indexes.map(idOf))
  return (row) => (ids.has(row.id) ? [row, row] : [row])
}

function changed(index: number, change: (row: LogScore) => LogScore): Edit {
  return (row) => [row.id === idOf(index) ? change(row) : row]
}

function both(first: Edit, second: Edit): Edit {
  return (row) => first(row).flatMap(second)
}

function run(kind: string, from: number, to: number) {
  return { kind, firstId: idOf(from), lastId: idOf(to), rows: to - from + 1 }
}

async function finds(bench: ReaderBench, edit: Edit, expected: readonly object[]): Promise<void> {
  await bench.fill(rows, 100)
  await bench.subject.tamper(bench.table, edit)
  expect(await bench.findings(rows)).toEqual(expected)
}

async function findsChanged(bench: ReaderBench, column: string, change: (row: LogScore) => LogScore): Promise<void> {
  const before = bench.convert(rows[150]!)
  const after = bench.convert(change(before))
  await bench.fill(rows, 100)
  await bench.subject.tamper(bench.table, changed(150, change))
  const { named } = await bench.verify(rows, true)
  const key = keys[column] ?? 'id'
  // What the archive has no form for cannot be changed in it.
  if (before[key] === after[key]) expect(named).toEqual([])
  else {
    const columns = [{ column, source: before[key], archive: after[key] }]
    expect(named).toEqual([{ kind: 'different', id: idOf(150), columns }])
  }
}

const keys: Readonly<Record<string, keyof LogScore>> = {
  server_id: 'serverId',
  ts: 'tsSeconds',
  monitor_id: 'monitorId',
  score: 'score',
  step: 'step',
  offset: 'offset',
  rtt: 'rtt',
  leap: 'leap',
  error: 'error',
  warning: 'warning',
}

/** The next larger 32-bit float in size. */
function nextFloat(value: number): number {
  const float = Float32Array.of(value)
  new Uint32Array(float.buffer)[0]! += 1
  return float[0]!
}
