import type { LogScore } from '@archiver/core'

/** Ids `afterId` (exclusive) to `upToId` (inclusive). */
export interface IdRange {
  readonly afterId: bigint
  readonly upToId: bigint
}

/** Whether an id is in any of the ranges. */
export function isWithin(ranges: readonly IdRange[], id: bigint): boolean {
  return ranges.some(({ afterId, upToId }) => id > afterId && id <= upToId)
}

/**
 * What is wrong with an archive, in words: rows that are missing, there more than once, different in any column, or
 * unknown to the source. Empty where the two are equal as multisets.
 *
 * @param isElsewhere - whether somebody declared a row stored elsewhere by moving the mark over it: it may be missing.
 */
export function differences(
  archived: readonly LogScore[],
  expected: readonly LogScore[],
  isElsewhere: (id: bigint) => boolean = () => false,
): string[] {
  const wanted = new Map(expected.map((row) => [row.id, row]))
  const seen = new Set<bigint>()
  const problems: string[] = []
  for (const row of archived) {
    const source = wanted.get(row.id)
    if (seen.has(row.id)) problems.push(`row ${row.id} is there twice`)
    else if (source === undefined) problems.push(`row ${row.id} is not in the source`)
    else problems.push(...differingColumns(row, source))
    seen.add(row.id)
  }
  for (const { id } of expected) {
    if (!seen.has(id) && !isElsewhere(id)) problems.push(`row ${id} is missing`)
  }
  return problems.length > 12 ? [...problems.slice(0, 12), `… ${problems.length} in all`] : problems
}

function differingColumns(archived: LogScore, source: LogScore): string[] {
  // Both are made with the same keys.
  const columns = Object.keys(source) as (keyof LogScore)[]
  return columns
    .filter((column) => !Object.is(archived[column], source[column]) && archived[column] !== source[column])
    .map((column) => `row ${source.id}: ${column} is ${archived[column]}, should be ${source[column]}`)
}
