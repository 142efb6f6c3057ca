import { type LogScore, type PlannedBatch, RowError } from '@archiver/core'
import { expect } from 'vitest'
import { edgeRows, ordinaryRows } from './rows.js'
import { type Interruption, reusedChunks } from './source.js'
import { type Check, rowsPerChunk, type Workbench } from './workbench.js'

export const recoveryChecks: readonly Check[] = [
  {
    name: 'findStored() tells none before and all after, to a newly started process too',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const batch = bench.batch(archiver, 1n, rows)
      expect(await bench.stored(archiver, batch, rows)).toEqual({ kind: 'none' })
      const { rows: count, identity } = await bench.store(archiver, batch, rows)
      const expected = { kind: 'all', result: { rows: count, identity } }
      expect(await bench.stored(archiver, batch, rows)).toMatchObject(expected)
      expect(await bench.stored(await bench.start(), batch, rows)).toMatchObject(expected)
      await bench.expectRows(rows)
    },
  },
  {
    name: 'findStored() speaks of its own batch only',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const [before, after] = [rows.slice(0, 200), rows.slice(200)]
      await bench.store(archiver, bench.batch(archiver, 1n, before), before)
      expect(await bench.stored(archiver, bench.batch(archiver, 2n, after), after)).toEqual({ kind: 'none' })
    },
  },
  {
    name: 'findStored() counts rows that were deleted from the source apart: some of them, the first and the last, all',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const batch = bench.batch(archiver, 1n, rows)
      await bench.store(archiver, batch, rows)
      const cases = [[77], [0, 1, 2, 150, 299], rows.map((_, i) => i)]
      for (const deleted of cases) {
        const left = rows.filter((_, i) => !deleted.includes(i))
        const deletedIds = deleted.map((i) => rows[i]!.id)
        const answer = left.length === 0 ? { kind: 'none' } : { kind: 'all', result: { rows: left.length } }
        const stored = await bench.stored(await bench.start(), batch, left, deletedIds)
        expect(stored).toMatchObject({ ...answer, deletedRows: deleted.length })
        if (stored.kind === 'all') expect(stored.result.identity).not.toBe('')
      }
      await bench.expectRows(rows)
    },
  },
  {
    name: 'findStored() finds rows of other batches in a range of which rows were deleted, the first of them too',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      for (const [id, from] of [
        [1n, 0],
        [2n, 100],
        [3n, 200],
      ] as const) {
        const some = rows.slice(from, from + 100)
        await bench.store(archiver, bench.batch(archiver, id, some), some)
      }
      const isDeleted = (i: number): boolean => i < 20 || (i >= 100 && i < 200) || i === 299
      const left = rows.filter((_, i) => !isDeleted(i))
      const deletedIds = rows.filter((_, i) => isDeleted(i)).map(({ id }) => id)
      const wide = bench.batch(archiver, 4n, rows)
      expect(await bench.stored(archiver, wide, left, deletedIds)).toMatchObject({
        kind: 'all',
        result: { rows: left.length },
        deletedRows: deletedIds.length,
      })
      await bench.expectRows(rows)
    },
  },
  {
    name: 'findStored() throws for a row of another server under an id, though other rows were deleted',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const batch = bench.batch(archiver, 1n, rows)
      await bench.store(archiver, batch, rows)
      const other = rows.map((row, i) => (i === 150 ? { ...row, serverId: row.serverId + 1 } : row)).slice(10)
      const deletedIds = rows.slice(0, 10).map(({ id }) => id)
      await expect(bench.stored(archiver, batch, other, deletedIds)).rejects.toMatchObject({
        message: expect.stringContaining(String(rows[150]!.id)),
      })
    },
  },
  {
    name: 'findStored() throws when the archive holds a row of the range that the source neither has nor has deleted',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const batch = bench.batch(archiver, 1n, rows)
      await bench.store(archiver, batch, rows)
      const without = rows.filter((_, i) => i !== 77)
      const deletedIds = [rows[78]!.id]
      await expect(bench.stored(archiver, batch, without, deletedIds)).rejects.toMatchObject({
        code: expect.any(String),
        message: expect.stringContaining(String(rows[77]!.id)),
      })
      await bench.expectRows(rows)
    },
  },
  {
    name: 'an interrupted source: store() rejects with its error, and the batch can be finished',
    async run(bench) {
      const failure = new Error('the source broke')
      await interrupted(bench, { afterRows: 200, act: () => raise(failure) }, failure)
    },
  },
  {
    name: 'a source that breaks after its last row leaves nothing that looks whole but is not',
    async run(bench) {
      const failure = new Error('the source broke at its end')
      await interrupted(bench, { afterRows: 500, act: () => raise(failure) }, failure)
    },
  },
  {
    name: 'a lease that ends midway: store() rejects, and the batch can be finished',
    async run(bench) {
      const stop = new AbortController()
      const reason = new Error('the lock is lost')
      await interrupted(bench, { afterRows: 200, act: () => stop.abort(reason) }, reason, stop.signal)
    },
  },
  {
    name: 'a lease that ends after the last row: store() does not commit',
    async run(bench) {
      const stop = new AbortController()
      const reason = new Error('the lock is lost')
      await interrupted(bench, { afterRows: 500, act: () => stop.abort(reason) }, reason, stop.signal)
    },
  },
  {
    name: 'a lease that has ended before the first row: nothing is stored',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(100)
      const reason = new Error('the lock is lost')
      const lease = leaseOf(AbortSignal.abort(reason))
      await expect(bench.store(archiver, bench.batch(archiver, 1n, rows), rows, lease)).rejects.toThrow(reason)
      await bench.expectRows([])
    },
  },
  {
    name: 'a row error midway leaves no row but earlier ones, and the rows before it can be stored',
    run: rowErrorMidway,
  },
]

function raise(error: Error): never {
  throw error
}

function leaseOf(signal: AbortSignal) {
  return { signal, assertHeld: () => signal.throwIfAborted() }
}

async function interrupted(bench: Workbench, interruption: Interruption, reason: Error, signal?: AbortSignal) {
  const archiver = await bench.start()
  const rows = ordinaryRows(500)
  const batch = bench.batch(archiver, 1n, rows)
  const lease = leaseOf(signal ?? new AbortController().signal)
  await expect(archiver.store(batch, reusedChunks(rows, rowsPerChunk, interruption), lease)).rejects.toThrow(reason)
  if (bench.subject.wholeBatches) await bench.expectRows([])
  await finish(bench, batch, rows)
}

/** What the engine does with a batch that was left planned: asks a new process what is held, and stores the rest. */
async function finish(bench: Workbench, batch: PlannedBatch, rows: readonly LogScore[]): Promise<void> {
  const archiver = await bench.start()
  const stored = await bench.stored(archiver, batch, rows)
  const heldIds = stored.kind === 'all' ? rows.map(({ id }) => id) : stored.kind === 'some' ? [...stored.ids] : []
  expect((await bench.rows()).map(({ id }) => id)).toEqual(heldIds)
  const held = new Set(heldIds)
  const missing = rows.filter(({ id }) => !held.has(id))
  if (missing.length > 0) {
    expect(await bench.store(archiver, batch, missing)).toMatchObject({ rows: missing.length })
  }
  await bench.expectRows(rows)
  expect(await bench.stored(archiver, batch, rows)).toMatchObject({ kind: 'all', result: { rows: rows.length } })
}

async function rowErrorMidway(bench: Workbench): Promise<void> {
  const unfit = edgeRows().find((row) => bench.refusal(row))
  if (!unfit) return
  const archiver = await bench.start()
  const rows = ordinaryRows(300)
  const bad = { ...unfit, id: rows[150]!.id }
  const withBad = rows.with(150, bad)
  const error = await bench.store(archiver, bench.batch(archiver, 1n, rows), withBad).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(RowError)
  expect(error).toMatchObject({ id: bad.id, column: bench.refusal(bad)?.column })
  const earlier = rows.slice(0, 150)
  const held = await bench.rows()
  expect(earlier.map(({ id }) => id)).toEqual(expect.arrayContaining(held.map(({ id }) => id)))
  if (bench.subject.wholeBatches) expect(held).toEqual([])
  await finish(bench, bench.batch(archiver, 2n, earlier), earlier)
}
