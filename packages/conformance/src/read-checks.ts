import { digestOf, type LogScore } from '@archiver/core'
import { expect } from 'vitest'
import { type ReaderBench, rangeOf } from './reader-bench.js'
import { edgeRows, largeIdRows, ordinaryRows } from './rows.js'
import { reusedChunks } from './source.js'

/** One promise of `ArchiveReader` or of the verification, and how it is put to the test. */
export interface ReadCheck {
  readonly name: string
  /** Only where batches are files or objects. */
  readonly needsFiles?: boolean
  run(bench: ReaderBench): Promise<void>
}

const everything = { afterId: 0n, upToId: 2n ** 63n - 1n }
const nothing = { rows: 0n, idSum: 0n, hashXor: 0n }

export const readChecks: readonly ReadCheck[] = [
  {
    name: 'an archive that is not there holds no row',
    async run(bench) {
      expect(await bench.digest(everything)).toEqual(nothing)
      expect(await bench.readRange(everything)).toEqual([])
    },
  },
  {
    name: 'reads the rows of any range, in ascending order, out of several batches',
    async run(bench) {
      const rows = ordinaryRows(500)
      await bench.fill(rows, 190)
      const stored = rows.map((row) => bench.convert(row))
      expect(await bench.readRange(everything)).toEqual(stored)
      for (const [from, to] of [
        [0, 500],
        [0, 1],
        [499, 500],
        [100, 300],
        [189, 191],
        [190, 380],
      ] as const) {
        const some = rows.slice(from, to)
        expect(await bench.readRange(rangeOf(some))).toEqual(stored.slice(from, to))
        expect(await bench.digest(rangeOf(some))).toEqual(await digestOf(reusedChunks(some, 64)))
      }
      const { upToId } = rangeOf(rows)
      expect(await bench.readRange({ afterId: upToId, upToId: upToId + 9n })).toEqual([])
      expect(await bench.digest({ afterId: upToId, upToId: upToId + 9n })).toEqual(nothing)
    },
  },
  {
    name: 'batches stored in another order than that of their ids are read in that of their ids',
    async run(bench) {
      const rows = ordinaryRows(90)
      // The rows of one batch lie between those of another.
      const [outer, inner] = [rows.filter((_, i) => i < 30 || i >= 60), rows.slice(30, 60)]
      await bench.fill(outer, 60)
      await bench.fill(inner, 30)
      expect(await bench.readRange(everything)).toEqual(rows.map((row) => bench.convert(row)))
      expect(await bench.findings(rows)).toEqual([])
    },
  },
  {
    name: 'what is stored is what the reader says is stored of it: values at the edges, in every column',
    run: (bench) => verifiesTaken(bench, edgeRows()),
  },
  {
    name: 'ids beyond 2^32 and 2^53 are read, summed and compared exactly',
    run: (bench) => verifiesTaken(bench, largeIdRows()),
  },
]

async function verifiesTaken(bench: ReaderBench, rows: readonly LogScore[]): Promise<void> {
  const taken = rows.filter((row) => !bench.refusal(row))
  await bench.fill(taken, 7)
  expect(await bench.readRange(rangeOf(taken))).toEqual(taken.map((row) => bench.convert(row)))
  expect(await bench.findings(taken)).toEqual([])
}
