import type { BatchPolicy, PlannedBatch } from '../types.js'
import type { ArchiverStatus } from './ledger.js'
import type { Source, SourceRange } from './source.js'

/** Whether an archiver has something to do, and if not, why. */
export type Due = { readonly due: true } | { readonly due: false; readonly why: string }

/**
 * Decides by the batch policy. Asked before the archive is touched, so that a pass with nothing to do opens no archive.
 * A batch that an earlier run left unfinished is always due.
 */
export async function dueNow(
  source: Source,
  { mark, ageMs }: ArchiverStatus,
  { intervalMs, minRows }: BatchPolicy,
  left: PlannedBatch | null,
): Promise<Due> {
  if (left !== null) return { due: true }
  if (ageMs < intervalMs) return { due: false, why: `next due in ${Math.ceil((intervalMs - ageMs) / 1000)} s` }
  const waiting = { afterId: mark ?? 0n, upToId: (await source.maxId()) ?? 0n }
  if (await enoughWait(source, waiting, minRows)) return { due: true }
  return { due: false, why: `nothing to do: fewer than ${minRows} rows wait` }
}

/** Whether the range holds at least `minRows` rows; counts no further. */
export async function enoughWait(source: Source, range: SourceRange, minRows: number): Promise<boolean> {
  return range.afterId < range.upToId && (await source.countUpTo(range, minRows)) >= minRows
}
