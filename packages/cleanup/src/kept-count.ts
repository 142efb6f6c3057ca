import type { CleanupSource, Slice } from '@archiver/core'
import type { KeptRows } from './result.js'

interface Counted {
  readonly afterId: bigint
  readonly rows: readonly KeptRows[]
}

/** Counts rows that are kept for other tables, by table. Of slices that are looked at again, the last look counts. */
export class KeptCount {
  readonly #slices: Counted[] = []

  add(slices: readonly Slice[], references: CleanupSource['references']): void {
    const [first] = slices
    while (first !== undefined && (this.#slices.at(-1)?.afterId ?? -1n) >= first.afterId) this.#slices.pop()
    for (const { afterId, keptRows, keptFor } of slices) {
      if (keptRows === 0) continue
      this.#slices.push({ afterId, rows: references.map(({ table }, i) => ({ table, rows: keptFor[i] ?? 0 })) })
    }
  }

  get tables(): readonly KeptRows[] {
    const total = new Map<string, number>()
    for (const { table, rows } of this.#slices.flatMap((slice) => slice.rows)) {
      if (rows > 0) total.set(table, (total.get(table) ?? 0) + rows)
    }
    return [...total].map(([table, rows]) => ({ table, rows }))
  }
}
