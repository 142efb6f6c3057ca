import { expect } from 'vitest'
import { ordinaryRows } from './rows.js'
import type { Check } from './workbench.js'

export const lifecycleChecks: readonly Check[] = [
  {
    name: 'has a name and a possible batch policy',
    async run(bench) {
      const { name, policy: batch } = await bench.start()
      expect(name).toMatch(/^[a-z]\w*$/)
      expect(batch.minRows).toBeGreaterThanOrEqual(1)
      expect(batch.maxRows).toBeGreaterThanOrEqual(batch.minRows)
      expect(batch.intervalMs).toBeGreaterThanOrEqual(0)
    },
  },
  {
    name: 'prepare() may be repeated, and loses nothing',
    async run(bench) {
      const archiver = await bench.start()
      await archiver.prepare(bench.table)
      const rows = ordinaryRows(200)
      const [first, second] = [rows.slice(0, 100), rows.slice(100)]
      await bench.store(archiver, bench.batch(archiver, 1n, first), first)
      await archiver.prepare(bench.table)
      await bench.store(await bench.start(), bench.batch(archiver, 2n, second), second)
      await bench.expectRows(rows)
    },
  },
  {
    name: 'preparation() changes nothing, and there is nothing to do after prepare()',
    async run(bench) {
      const archiver = await bench.start()
      const before = await archiver.pendingDdl?.(bench.table)
      expect(await archiver.pendingDdl?.(bench.table)).toEqual(before)
      await archiver.prepare(bench.table)
      expect((await archiver.pendingDdl?.(bench.table)) ?? []).toEqual([])
    },
  },
  {
    name: 'close() may be repeated, and the rows stay',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(100)
      await bench.store(archiver, bench.batch(archiver, 1n, rows), rows)
      await archiver[Symbol.asyncDispose]()
      await archiver[Symbol.asyncDispose]()
      await bench.expectRows(rows)
    },
  },
]
