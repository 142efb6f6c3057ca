import type { BatchPolicy, PlannedBatch } from '../contract/batch.js'
import type { ArchiverStatus } from '../contract/ledger.js'
import type { Source, SourceRange } from '../contract/source.js'

/** Whether an archiver has something to do, and if not, why. */
export type Due =
  | { readonly due: true }
  | {
      readonly due: false
      readonly why: string
      /** Where too few rows wait: the lowest newest id with which there may be enough. */
      readonly dueFromId?: bigint
    }

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
  if (waitMs(ageMs, intervalMs) > 0)
    return { due: false, why: `next due in ${Math.ceil((intervalMs - ageMs) / 1000)} s` }
  const waiting = { afterId: mark ?? 0n, upToId: (await source.maxId()) ?? 0n }
  const rows = waiting.afterId < waiting.upToId ? await source.countUpTo(waiting, minRows) : 0
  if (rows >= minRows) return { due: true }
  const dueFromId = waiting.upToId + BigInt(minRows - rows)
  return { due: false, why: `nothing to do: fewer than ${minRows} rows wait`, dueFromId }
}

/** How long until an interval is over. A stamp ahead of the server's clock says nothing of when it began: 0. */
export function waitMs(ageMs: number, intervalMs: number): number {
  return ageMs < 0 ? 0 : Math.max(0, intervalMs - ageMs)
}

/** Whether the range holds at least `minRows` rows; counts no further. */
export async function enoughWait(source: Source, range: SourceRange, minRows: number): Promise<boolean> {
  return range.afterId < range.upToId && (await source.countUpTo(range, minRows)) >= minRows
}
