import type { CleanupPolicy, ThrottlePolicy } from '@archiver/cleanup'
import type { Archiver, BatchPolicy, SourceDatabase } from '@archiver/core'
import type { NotHere, RetryPolicy } from '@archiver/core/engine'

/** What a service works with; made anew when settings change. */
export interface ServiceConfig {
  readonly database: SourceDatabase
  readonly table: string
  readonly lockName: string
  /** Time between two looks at what there is to do. */
  readonly runIntervalMs: number
  /** Archivers that may read MySQL at once. At least 1. */
  readonly runConcurrency: number
  /** How long rows may wait before an archiver counts as late; undefined for three of its intervals. */
  readonly statusLateAfterMs: number | undefined
  readonly settleMs: number
  /** Time to finish the batches in hand when the service must connect anew. */
  readonly shutdownTimeoutMs: number
  readonly cleanup: { readonly policy: CleanupPolicy; readonly throttle: ThrottlePolicy }
  /** Whether the chunks of the source keep the texts of `attributes`, which `avro_schema=2` needs. Default false. */
  readonly exactAttributes?: boolean
  /** The policies of the archivers that are configured, by name. */
  readonly policies: Readonly<Record<string, BatchPolicy>>
  /** Makes the archiver of a status row. Throws for one that cannot be made. */
  readonly open: (name: string) => Promise<Archiver | NotHere>
  readonly retry?: RetryPolicy
  /** Of settings that were read again: the names of those that differ. Undefined where that is not known. */
  readonly changed?: readonly string[]
  /** Where the runbook is, for links; ends with a slash. */
  readonly runbookUrl?: string
}

/** Rows of the last seconds always wait: for their neighbours to be committed, and for the next look. */
const MIN_LATE_AFTER_MS = 60_000

/** After so long an archiver is late. */
export function lateAfterMs(
  { statusLateAfterMs, runIntervalMs }: Pick<ServiceConfig, 'statusLateAfterMs' | 'runIntervalMs'>,
  intervalMs: number,
): number {
  return statusLateAfterMs ?? Math.max(MIN_LATE_AFTER_MS, 3 * intervalMs, 3 * runIntervalMs)
}
