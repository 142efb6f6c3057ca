import type { BatchPolicy } from '../contract/batch.js'
import type { ArchiverStatus } from '../contract/ledger.js'
import type { Source } from '../contract/source.js'
import { lowerId } from '../values/ids.js'
import { waitMs } from './due.js'

/** What a pass would do for one archiver. */
export interface Preview {
  readonly archiver: string
  readonly mark: bigint | null
  /** Waiting rows, counted no further than one batch may hold. */
  readonly rows: number
  /** Where the first batch would begin and could end; null when no row waits. */
  readonly firstId: bigint | null
  readonly upToId: bigint | null
  readonly action: 'store' | 'wait for more rows' | 'wait for the interval'
}

/** Looks at what a pass would store. Reads only. */
export async function preview(source: Source, status: ArchiverStatus, policy: BatchPolicy): Promise<Preview> {
  const { archiver, mark } = status
  const settled = (await source.maxId()) ?? 0n
  const waiting = { afterId: mark ?? 0n, upToId: settled }
  const rows = await source.countUpTo(waiting, policy.maxRows)
  const firstId = await source.firstId(waiting)
  const upToId = firstId && lowerId(firstId + BigInt(policy.maxRows) - 1n, settled)
  return { archiver, mark, rows, firstId, upToId, action: action(status, policy, rows) }
}

function action({ ageMs }: ArchiverStatus, { intervalMs, minRows }: BatchPolicy, rows: number): Preview['action'] {
  if (waitMs(ageMs, intervalMs) > 0) return 'wait for the interval'
  return rows < minRows ? 'wait for more rows' : 'store'
}
