import type { LogScore } from '@archiver/core'
import { expect } from 'vitest'
import { edgeRows, largeIdRows, ordinaryRows } from './rows.js'
import type { Check, Workbench } from './workbench.js'

export const storeChecks: readonly Check[] = [
  {
    name: 'gives back the rows of one batch, though the source reuses its arrays',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(1000)
      const result = await bench.store(archiver, bench.batch(archiver, 1n, rows), rows)
      expect(result).toMatchObject({ rows: 1000, identity: expect.stringMatching(/./) })
      expect(result.bytes).toBeGreaterThan(1000)
      await bench.expectRows(rows)
    },
  },
  {
    name: 'stores batch after batch, a batch of one row too',
    async run(bench) {
      const archiver = await bench.start()
      const rows = ordinaryRows(400)
      const identities = new Set<string>()
      const parts = [rows.slice(0, 150), rows.slice(150, 151), rows.slice(151)]
      for (const [i, part] of parts.entries()) {
        const result = await bench.store(archiver, bench.batch(archiver, BigInt(i + 1), part), part)
        expect(result.rows).toBe(part.length)
        identities.add(result.identity)
      }
      expect(identities.size).toBe(3)
      await bench.expectRows(rows)
    },
  },
  {
    name: 'stores a batch whose range holds no row as 0 rows and leaves nothing',
    async run(bench) {
      const archiver = await bench.start()
      const batch = bench.batch(archiver, 1n, [])
      expect(await bench.store(archiver, batch, [])).toMatchObject({ rows: 0 })
      expect(await bench.stored(archiver, batch, [])).toEqual({ kind: 'none' })
      await bench.expectRows([])
    },
  },
  {
    name: 'keeps values at the edges as documented, or refuses the row by id and column',
    run: (bench) => storesOrRefuses(bench, edgeRows()),
  },
  {
    name: 'keeps ids beyond 2^32 and 2^53 exactly, or refuses them by name',
    async run(bench) {
      const rows = largeIdRows()
      await storesOrRefuses(bench, rows)
      expect(rows.filter(({ id }) => id < 2n ** 63n && bench.refusal({ ...rows[0]!, id }))).toEqual([])
    },
  },
]

async function storesOrRefuses(bench: Workbench, rows: readonly LogScore[]): Promise<void> {
  const archiver = await bench.start()
  const taken = rows.filter((row) => !bench.refusal(row))
  await bench.store(archiver, bench.batch(archiver, 1n, taken), taken)
  await bench.expectRows(taken)
  let batchId = 2n
  for (const row of rows) {
    const refusal = bench.refusal(row)
    if (!refusal) continue
    await expect(bench.store(archiver, bench.batch(archiver, batchId++, [row]), [row])).rejects.toMatchObject({
      name: 'RowError',
      id: row.id,
      column: refusal.column,
    })
  }
  await bench.expectRows(taken)
}
