import { describe, expect, test } from 'vitest'
import { packageOf } from './idle.js'
import { resultOf } from './main-runs.js'
import { passDone } from './runs.js'
import { targets } from './targets.js'

const MB = 1_048_576
const run = (rate: number, peakMb: number) => ({ rows: 10, rate, wallMs: 10_000 / rate, peakBytes: peakMb * MB })

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
