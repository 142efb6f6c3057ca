import type { Blocked } from './blocked.js'

/** What a run came to. Rows that were deleted before it was blocked stay deleted. */
export interface CleanupResult {
  readonly rows: number
  /** Transactions. */
  readonly ranges: number
  /** Old rows that other tables point to, among those that the run has looked at; each table that keeps some, once. */
  readonly kept: readonly KeptRows[]
  readonly end: CleanupEnd
}

/** Old rows that stay because of another table. */
export interface KeptRows {
  /** With its database where that is another one. */
  readonly table: string
  readonly rows: number
}

export type CleanupEnd =
  | { readonly why: 'not-due'; readonly dueInMs: number }
  /** `maxRows` were deleted; the next run is due after the reduced interval. */
  | { readonly why: 'full' }
  /** What is left below the marks is too young. */
  | { readonly why: 'young' }
  /** Nothing is left below the lowest mark (or the start of an unfinished batch). */
  | { readonly why: 'marks'; readonly archiver: string; readonly belowId: bigint }
  /** The table has no row. */
  | { readonly why: 'empty' }
  /** Rows or marks changed under every look at the next range. */
  | { readonly why: 'changed' }
  /** `drain` was aborted. */
  | { readonly why: 'drained' }
  | { readonly why: 'blocked'; readonly blocked: Blocked }
