import type { PlannedBatch, StoreResult } from '../contract/batch.js'
import type { ArchiverError } from '../contract/errors.js'
import type { BatchRecord } from '../contract/ledger.js'
import type { TableWarning, Unarchived } from '../contract/unarchived.js'
import type { BatchSteps } from './steps.js'

/** What a pass reports while it works. Names are stable; the CLI logs them as they are. */
export type EngineEvent =
  | { readonly event: 'archiver.skipped'; readonly archiver: string; readonly why: string }
  | {
      readonly event: 'archiver.started'
      readonly archiver: string
      readonly mark: bigint
      /** What this run works towards. */
      readonly upToId: bigint
    }
  /** Something that the operator should know and that stops nothing. Reported once in the life of the process. */
  | { readonly event: 'archiver.warning'; readonly archiver: string; readonly error: ArchiverError }
  /** Somebody else has moved the mark from where our last batch left it. */
  | { readonly event: 'mark.moved'; readonly archiver: string; readonly from: bigint; readonly to: bigint }
  | { readonly event: 'batch.planned'; readonly batch: PlannedBatch }
  /** A batch that an earlier try left unfinished, or that lies behind a mark that was set back. */
  | { readonly event: 'batch.recovering'; readonly batch: PlannedBatch; readonly held: 'none' | 'some' | 'all' }
  /**
   * The archive holds rows of the batch that were deleted from the source after they had been stored (a server was
   * deleted, for example). They stay in the archive, and the batch is filed without them.
   */
  | { readonly event: 'batch.deleted-rows'; readonly batch: PlannedBatch; readonly rows: number }
  /** The batch ends early, before a row that cannot be stored now. */
  | { readonly event: 'batch.shortened'; readonly batch: PlannedBatch }
  | { readonly event: 'batch.superseded'; readonly batch: PlannedBatch }
  | { readonly event: 'batch.progress'; readonly batch: PlannedBatch; readonly rows: number; readonly lastId: bigint }
  | {
      readonly event: 'batch.done'
      readonly batch: PlannedBatch
      readonly record: BatchRecord
      readonly conversions: NonNullable<StoreResult['conversions']>
      readonly elapsedMs: number
      readonly steps: BatchSteps
    }
  /** The rows of a batch had columns, or keys of `attributes`, that no archive keeps. Follows `batch.done`. */
  | { readonly event: 'batch.unarchived'; readonly batch: PlannedBatch; readonly unarchived: Unarchived }
  /** Something about the table or its status that an operator should know. Nothing stops for it. */
  | { readonly event: 'table.warning'; readonly warning: TableWarning }
  | {
      readonly event: 'archiver.retrying'
      readonly archiver: string
      readonly error: Error
      readonly attempt: number
      readonly delayMs: number
    }
  | {
      readonly event: 'archiver.done'
      readonly archiver: string
      readonly rows: number
      readonly batches: number
      readonly elapsedMs: number
    }
  | { readonly event: 'archiver.failed'; readonly archiver: string; readonly error: Error }

export type OnEvent = (event: EngineEvent) => void
