import type { IdRange } from '../contract/archive-reader.js'
import type { Archiver } from '../contract/archiver.js'
import { ArchiverError } from '../contract/errors.js'
import { faultPoint } from '../contract/fault.js'
import type { Lease } from '../contract/lease.js'
import type { Ledger } from '../contract/ledger.js'
import type { Source } from '../contract/source.js'
import { BatchRun } from './batch-run.js'
import type { OnEvent } from './events.js'
import { startWatch } from './holes.js'
import { prepareArchive } from './prepare-archive.js'

export interface LateStore {
  readonly archiver: Archiver
  readonly table: string
  readonly ledger: Ledger
  readonly source: Source
  readonly lease: Lease
  /** As for a pass: `archive_settle`. */
  readonly settleMs: number
  readonly onEvent: OnEvent
}

/**
 * Stores rows behind the mark that the archive lacks, as a batch of their own: planned, looked up, stored and committed
 * like any other, while the mark stays. What the archive does hold of the range is not written again.
 *
 * @returns the rows written.
 * @throws ArchiverError (BATCH_UNFINISHED) while another batch of the archiver waits to be finished, (LATE_ABOVE_MARK)
 * where the range is not behind the mark.
 */
export async function storeLate(late: LateStore, range: IdRange): Promise<number> {
  const { archiver, ledger, source } = late
  const mark = await markOver(late, range)
  await prepareArchive(late, mark)
  const skipped = await ledger.skipped(archiver.name)
  const watch = await startWatch(source)
  await faultPoint('plan.before')
  late.lease.assertHeld()
  const batch = await ledger.plan({ archiver: archiver.name, ...range, firstId: range.afterId + 1n })
  await faultPoint('plan.after')
  late.onEvent({ event: 'batch.planned', batch })
  return (await new BatchRun({ ...late, skipped, watch }, batch, mark).recover()).rows
}

/** The archiver's mark. */
async function markOver({ archiver: { name }, table, ledger }: LateStore, range: IdRange): Promise<bigint> {
  const place = { archiver: name, table, ...range }
  if ((await ledger.planned(name)) !== null) {
    throw new ArchiverError(`an unfinished batch of ${name} comes first`, {
      ...place,
      code: 'BATCH_UNFINISHED',
      hint: 'The next pass finishes it.',
      retryable: true,
    })
  }
  const mark = (await ledger.status()).find(({ archiver }) => archiver === name)?.mark ?? 0n
  if (range.upToId <= mark) return mark
  throw new ArchiverError(`rows up to ${range.upToId} are not behind the mark of ${name}, ${mark}`, {
    ...place,
    code: 'LATE_ABOVE_MARK',
    hint: 'The mark was moved meanwhile; a pass stores these rows.',
  })
}
