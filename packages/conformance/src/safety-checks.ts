import { type LogScore, leaseUntil } from '@archiver/core'
import { expect } from 'vitest'
import { ordinaryRows } from './rows.js'
import { reusedChunks } from './source.js'
import { type Check, rowsPerChunk, type Workbench } from './workbench.js'

/** See `StoreResult.identity`. */
const MAX_IDENTITY_CHARS = 1_024
const DAY_SECONDS = 86_400

/** What the types do not show: see the comments of `Archiver`. */
export const safetyChecks: readonly Check[] = [
  {
    name: 'keeps the text of attributes letter by letter, or documents that it does not',
    async run(bench) {
      const archiver = await bench.start()
      const texts = ['{"error": "i/o timeout"}', '{"from_ls_id":17,"from_ss_id":4}', '{}', ' {"leap" : 1 } ', null]
      const meanings = [{ error: 'i/o timeout' }, {}, {}, { leap: 1 }, {}]
      const rows = ordinaryRows(50).map((row, i) => {
        const [json, meaning] = [texts[i % texts.length]!, meanings[i % texts.length]!]
        return { ...row, leap: null, error: null, warning: null, ...meaning, json }
      })
      await bench.store(archiver, bench.batch(archiver, 1n, rows), rows)
      await bench.expectRows(rows)
    },
  },
  {
    name: 'the identity of a batch is not empty, and fits into the ledger',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(10)
      const { identity } = await bench.store(archiver, bench.batch(archiver, 2n ** 62n, rows), rows)
      expect(identity.length).toBeGreaterThan(0)
      expect(identity.length).toBeLessThanOrEqual(MAX_IDENTITY_CHARS)
    },
  },
  {
    name: 'findStored() tells some of a range that is there in part',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const there = rows.slice(0, 100)
      await bench.store(archiver, bench.batch(archiver, 1n, there), there)
      const stored = await bench.stored(await bench.start(), bench.batch(archiver, 2n, rows), rows)
      expect(stored).toEqual({ kind: 'some', ids: BigUint64Array.from(there.map(({ id }) => id)) })
    },
  },
  {
    name: 'a batch that begins with the first row of another one: refused, or both are kept',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const first = rows.slice(0, 100)
      const second = [rows[0]!, ...rows.slice(200)]
      await bench.store(archiver, bench.batch(archiver, 1n, first), first)
      await bench.store(archiver, bench.batch(archiver, 2n, second), second).catch(() => undefined)
      const held = new Set((await bench.rows()).map(({ id }) => id))
      expect(first.filter(({ id }) => !held.has(id))).toEqual([])
    },
  },
  {
    name: 'tables are kept apart, though their ids are the same',
    async run(bench) {
      const rows = ordinaryRows(100)
      const other = bench.other()
      const [ours, theirs] = [await bench.start(), await other.start()]
      await bench.store(ours, bench.batch(ours, 1n, rows), rows)
      expect(await other.stored(theirs, other.batch(theirs, 1n, rows), rows)).toEqual({ kind: 'none' })
      await other.expectRows([])
      const few = rows.slice(0, 10)
      await other.store(theirs, other.batch(theirs, 1n, few), few)
      await bench.expectRows(rows)
      await other.expectRows(few)
    },
  },
  {
    name: 'a frozen process that wakes up while its successor writes leaves nothing half-written',
    run: (bench) => wakesUp(bench),
  },
  {
    name: 'prepare() removes what a process that died has left',
    async run(bench) {
      const { leftovers } = bench.subject
      if (leftovers === undefined) return
      const archiver = await bench.start()
      const rows = ordinaryRows(300)
      const gate = new Gate(200)
      const dying = archiver.store(bench.batch(archiver, 1n, rows), gate.rows(rows), leaseUntil())
      dying.catch(() => undefined)
      await gate.reached
      expect(await leftovers(bench.table)).not.toEqual([])
      await bench.start()
      expect(await leftovers(bench.table)).toEqual([])
      gate.fail(new Error('the process died'))
      await expect(dying).rejects.toThrow()
    },
  },
  {
    name: 'rows are on disk before they get their name, and the name before store() resolves',
    async run(bench) {
      const { diskLog } = bench.subject
      if (diskLog === undefined) return
      const archiver = await bench.start()
      const rows = ordinaryRows(100)
      diskLog(bench.table)
      await bench.store(archiver, bench.batch(archiver, 1n, rows), rows)
      const steps = diskLog(bench.table)
      expect(steps.filter((step, i) => step !== steps[i - 1])).toEqual(['sync', 'publish', 'sync folder'])
    },
  },
  {
    name: 'rows are where readers look for them, over the end of a year too',
    async run(bench) {
      const { misplaced } = bench.subject
      if (misplaced === undefined) return
      const archiver = await bench.start()
      const newYear = Date.UTC(2027, 0, 1) / 1000
      const rows = ordinaryRows(60).map((row, i) => ({ ...row, tsSeconds: newYear + (i - 30) * DAY_SECONDS }))
      const parts = [rows.slice(0, 20), rows.slice(20, 40), rows.slice(40)]
      for (const [i, part] of parts.entries()) {
        await bench.store(archiver, bench.batch(archiver, BigInt(i + 1), part), part)
      }
      expect(await misplaced(bench.table)).toEqual([])
      await bench.expectRows(rows)
    },
  },
]

/** A source that stops after some rows until it is told how to go on. */
class Gate {
  readonly #afterRows: number
  readonly #reached = Promise.withResolvers<void>()
  readonly #open = Promise.withResolvers<void>()

  constructor(afterRows: number) {
    this.#afterRows = afterRows
  }

  /** Resolves when the rows before the gate have been taken. */
  get reached(): Promise<void> {
    return this.#reached.promise
  }

  open(): void {
    this.#open.resolve()
  }

  fail(error: Error): void {
    this.#open.reject(error)
  }

  async *rows(rows: readonly LogScore[]) {
    let given = 0
    for await (const chunk of reusedChunks(rows, rowsPerChunk)) {
      if (given >= this.#afterRows) {
        this.#reached.resolve()
        await this.#open.promise
      }
      given += chunk.rows
      yield chunk
    }
  }
}

/** The engine keeps two processes apart as long as none is frozen: one that was must not harm what its successor does. */
async function wakesUp(bench: Workbench): Promise<void> {
  if (!bench.subject.wholeBatches) return
  const rows = ordinaryRows(300)
  const first = await bench.start()
  const batch = bench.batch(first, 1n, rows)
  const [frozen, busy] = [new Gate(128), new Gate(64)]
  const old = first.store(batch, frozen.rows(rows), leaseUntil()).then(
    () => undefined,
    () => undefined,
  )
  await frozen.reached
  const second = await bench.start()
  const next = second.store(batch, busy.rows(rows), leaseUntil())
  await busy.reached
  frozen.open()
  await old
  const held = await bench.rows()
  if (held.length > 0) await bench.expectRows(rows)
  busy.open()
  await next
  await bench.expectRows(rows)
}
