import {
  allocateChunk,
  chunkColumns,
  chunkFromRows,
  type LogScore,
  type LogScoreChunk,
  type PlannedBatch,
} from '@archiver/core'

/** What happens to a source after `rows` rows, instead of the next chunk. */
export interface Interruption {
  readonly afterRows: number
  /** May throw; the source goes on if it does not. */
  readonly act: () => void
}

/**
 * Rows as the strictest source gives them: one set of arrays, longer than the rows in them and not at the start of their
 * buffers, filled anew for each chunk and overwritten with rubbish as soon as the next one is asked for.
 */
export async function* reusedChunks(
  rows: readonly LogScore[],
  rowsPerChunk: number,
  interruption?: Interruption,
): AsyncGenerator<LogScoreChunk> {
  const capacity = rowsPerChunk + 3
  const whole = allocateChunk(capacity + 1)
  for (let at = 0; at < rows.length; at += rowsPerChunk) {
    if (interruption && at >= interruption.afterRows) interruption.act()
    const fresh = chunkFromRows(rows.slice(at, at + rowsPerChunk))
    const dictionary = [...fresh.dictionary]
    yield { ...fill(whole, fresh), rows: fresh.rows, dictionary }
    spoil(whole)
    dictionary.length = 0
  }
  if (interruption && rows.length <= interruption.afterRows) interruption.act()
}

type Columns = ReturnType<typeof allocateChunk>

function fill(whole: Columns, fresh: LogScoreChunk): Columns {
  whole.id.set(fresh.id, 1)
  const views: Record<string, unknown> = {}
  for (const name of chunkColumns) {
    if (name !== 'id') whole[name].set(fresh[name], 1)
    views[name] = whole[name].subarray(1)
  }
  // Every column was given its view just above.
  return views as unknown as Columns
}

function spoil(whole: Columns): void {
  for (const name of chunkColumns) {
    if (name === 'id') whole.id.fill(0x7a7a7a7a7a7a7a7an)
    else whole[name].fill(0x7a)
  }
}

/** A batch over exactly these rows (at least one), or over `(afterId, afterId + 100]` where there are none. */
export function batchOf(table: string, archiver: string, id: bigint, rows: readonly LogScore[]): PlannedBatch {
  const firstId = rows[0]?.id ?? 1n
  return { id, archiver, table, afterId: firstId - 1n, firstId, upToId: rows.at(-1)?.id ?? firstId + 99n }
}
