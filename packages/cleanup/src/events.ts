import type { IdRange } from '@archiver/core'
import type { Blocked } from './blocked.js'
import type { CleanupResult, KeptRows } from './result.js'

/** What a run reports while it works. Names are stable; the CLI logs them as they are. */
export type CleanupEvent =
  | {
      readonly event: 'cleanup.started'
      /** Rows with a time before this, in UTC, are old enough. */
      readonly cutoff: string
      /** Only ids below this, because of `archiver`. */
      readonly belowId: bigint
      readonly archiver: string
    }
  /** This archive is not asked in this run: its mark alone counts. */
  | { readonly event: 'cleanup.not-asked'; readonly archiver: string; readonly why: string }
  | { readonly event: 'cleanup.verified'; readonly archiver: string; readonly range: IdRange; readonly rows: number }
  /** Batches whose file or object was moved away: not asked, as `movedIsSafe` says. */
  | { readonly event: 'cleanup.moved'; readonly archiver: string; readonly identities: readonly string[] }
  /** Late rows that the archive lacked were stored there. */
  | { readonly event: 'cleanup.mended'; readonly archiver: string; readonly range: IdRange; readonly rows: number }
  /** Rows that were taken out for this archiver, never stored in it, and are about to be deleted. */
  | { readonly event: 'cleanup.skipped-rows'; readonly archiver: string; readonly ids: readonly bigint[] }
  /** Rows whose time no archive can hold: never deleted. */
  | { readonly event: 'cleanup.odd-rows'; readonly range: IdRange; readonly rows: number }
  /** Old rows that stay because rows of another table point to them (a foreign key without a cascade). */
  | ({ readonly event: 'cleanup.kept' } & KeptRows)
  /** The account may not ask which replicas there are: none is waited for. */
  | { readonly event: 'cleanup.replicas-unseen'; readonly why: string }
  | { readonly event: 'cleanup.waiting'; readonly blocked: Blocked; readonly delayMs: number }
  | {
      readonly event: 'cleanup.deleted'
      readonly range: IdRange
      readonly rows: number
      /** Of the transaction. */
      readonly elapsedMs: number
    }
  | { readonly event: 'cleanup.done'; readonly result: CleanupResult; readonly elapsedMs: number }

export type OnCleanupEvent = (event: CleanupEvent) => void
